# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a playbook of the collection through ansible-runner and tells how it goes."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils import errors, progress
from rich.console import Console
from rich.status import Status

from ._output import EXIT_INTERRUPTED, EXIT_USAGE, CommandError, stderr

COLLECTION = "inferencebox.platform"
INVENTORY_VARIABLE = "INFERENCEBOX_INVENTORY"

# Every playbook begins with the role that validates the inventory and keeps the result under this name.
_MODEL_FACT = "preflight_platform"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ERROR_LINE = re.compile(r"^(?:\[ERROR\]:|ERROR!|error:)\s*(.*)$", re.MULTILINE)
# What this action refuses is the user's to mend, and says all that there is to say.
_VALIDATION = f"{COLLECTION}.validate_inventory"
# How long a run may take to end when it is asked to; a task that is killed needs no time.
_END_SECONDS = 10.0
# Of a run that ended without any event, the end says why; more than this hides it.
_SHOWN_LINES = 15

Event = dict[str, t.Any]


@dataclass
class Outcome:
    """How a playbook went.

    Attributes:
        changed: Tasks that changed something (or would, with check), over all hosts.
        seconds: Time that it took.
        home: Directory of the platform that it was about; None when it did not get so far.
        said: What its last debug task said.
    """

    changed: int
    seconds: float
    home: Path | None = None
    said: str = ""


@dataclass
class Tally:
    """What the events of one run said.

    Attributes:
        plays: Plays begun.
        tasks: Tasks begun.
        changed: Tasks that changed something, over all hosts.
        home: Directory of the platform, as the playbook worked it out.
        said: What the last debug task said.
        failure: The last failure that nothing ignored: (task, action, message).
    """

    plays: int = 0
    tasks: int = 0
    changed: int = 0
    play: str = ""
    role: str = ""
    task: str = ""
    home: str = ""
    said: str = ""
    failure: tuple[str, str, str] | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    def take(self, event: Event) -> None:
        """Count one event of ansible-runner."""
        kind, data = event.get("event", ""), event.get("event_data") or {}
        if kind == "playbook_on_play_start":
            self.plays += 1
            self.play, self.role = str(data.get("name") or data.get("play") or ""), ""
        elif kind == "playbook_on_task_start":
            self.tasks += 1
            self.task, self.role = str(data.get("task") or ""), str(data.get("role") or "")
        elif kind == "playbook_on_stats":
            self.changed = sum((data.get("changed") or {}).values())
        elif kind == "runner_on_ok":
            self._take_result(data.get("res") or {}, str(data.get("task_action") or ""))
        elif kind in {"runner_on_failed", "runner_on_unreachable"} and not data.get(
            "ignore_errors"
        ):
            self.failure = (
                str(data.get("task") or self.task),
                str(data.get("task_action") or ""),
                failure_message(data.get("res") or {}),
            )

    def _take_result(self, result: t.Mapping[str, t.Any], action: str) -> None:
        facts = result.get("ansible_facts") or {}
        self.home = str((facts.get(_MODEL_FACT) or {}).get("platform_home") or self.home)
        if action in {"debug", "ansible.builtin.debug"}:
            self.said = str(result.get("msg") or "")


class Progress:
    """Shows a run while it lasts: one moving line on a terminal, a line per play and role elsewhere."""

    def __init__(self, plays: int, console: Console) -> None:
        """Show a playbook of so many plays (0: unknown) on a console."""
        self._plays = plays
        self._console = console
        self._status: Status | None = None
        self._said = ""
        if console.is_terminal:
            self._status = console.status("starting Ansible")

    def __enter__(self) -> t.Self:
        """Begin to show."""
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing of the moving line behind."""
        if self._status:
            self._status.stop()

    def tell(self, tally: Tally, line: str) -> None:
        """Say what a task says while it runs; it stays above what moves."""
        self._console.print(f"{tally.seconds:6.1f} s  {line}", markup=False)

    def show(self, tally: Tally) -> None:
        """Tell where the run is."""
        if not tally.plays:
            return
        far = f"{tally.plays}/{self._plays}" if self._plays else f"{tally.plays}"
        if self._status:
            # Console markup would read a task's brackets as style.
            where = f"{tally.seconds:5.1f} s  {far}  {tally.play}: task {tally.tasks}, {tally.task}"
            self._status.update(where[: max(self._console.width - 4, 20)].replace("[", r"\["))
            return
        place = f"{far} {tally.play}"
        if place != self._said:
            self._said = place
            self._console.print(f"{tally.seconds:6.1f} s  {place}", markup=False)


class _Interruption:
    """Lets a signal end a run of ansible-playbook so that nothing of it goes on.

    ansible-runner would kill the process group of ansible-playbook. Its workers lead groups of their own, and would
    finish their tasks beside the next run; ansible-playbook ends them when it is asked to end itself.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self._first: float | None = None
        self._before: dict[signal.Signals, t.Any] = {}

    @property
    def asked(self) -> bool:
        """Whether there was a signal."""
        return self._first is not None

    def __enter__(self) -> t.Self:
        for number in self._SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue  # as nohup wants it
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def kill(self) -> bool:
        """Whether the run was asked to end and did not: then ansible-runner kills it."""
        return self._first is not None and time.monotonic() - self._first > _END_SECONDS

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's arguments
        self._first = self._first or time.monotonic()
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def _children() -> list[int]:
    """Process ids of this process's children: during a run, of ansible-playbook."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # Behind the name in brackets: state, then the parent (proc(5)).
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if int(fields[1]) == os.getpid():
                    found.append(int(entry.name))
    return found


def run_playbook(
    name: str,
    *,
    inventory: str,
    options: t.Sequence[str] = (),
    verbose: bool = False,
    diff: bool = False,
) -> Outcome:
    """Run a playbook of the collection.

    Args:
        name: File name in playbooks/, without its ending.
        inventory: What ansible-playbook takes after ``-i``.
        options: Further arguments of ansible-playbook.
        verbose: Show Ansible's own output instead of the progress.
        diff: Show what Ansible's diff says.

    Returns:
        How it went.

    Raises:
        CommandError: It failed; the message is the failing task's own, or what is wrong with the inventory.
    """
    # Ansible's driver takes as long to import as everything else together, and most commands do without.
    import ansible_runner

    # The runner takes a relative path for the name of a host.
    inventory = existing_inventory(inventory)
    tally = Tally()
    console = stderr()
    shown = Progress(count_plays(playbook_file(name)), console)

    def handle(event: Event) -> bool:
        tally.take(event)
        if not verbose:
            said = _ANSI.sub("", event.get("stdout", "")).strip()
            if diff and said and event.get("event") == "runner_on_file_diff":
                console.print(said, markup=False)
            if said.startswith(progress.MARK):
                shown.tell(tally, said)
            shown.show(tally)
        return True  # anything else makes the runner forget the event

    with (
        tempfile.TemporaryDirectory(prefix="inferencebox-") as directory,
        contextlib.nullcontext() if verbose else shown,
        _Interruption() as interruption,
    ):
        runner = ansible_runner.run(
            private_data_dir=directory,
            project_dir=str(Path.cwd()),
            playbook=f"{COLLECTION}.{name}",
            inventory=inventory,
            cmdline=shlex.join(options) or None,
            envvars=_environment(directory),
            event_handler=handle,
            cancel_callback=interruption.kill,
            quiet=not verbose,
            suppress_env_files=True,
        )
        everything = "" if tally.failure else runner.stdout.read()
    if interruption.asked and runner.rc != 0:
        raise CommandError("interrupted", "Run it again to finish.", exit_code=EXIT_INTERRUPTED)
    if runner.rc != 0:
        raise _failed(tally, everything)
    return Outcome(
        tally.changed, tally.seconds, Path(tally.home) if tally.home else None, tally.said
    )


def failure_message(result: t.Mapping[str, t.Any]) -> str:
    """Return what a failed task's result says, items of a loop included, each sentence once."""
    items = [
        item
        for item in result.get("results") or []
        if isinstance(item, dict) and item.get("failed")
    ]
    parts = [failure_message(item) for item in items] or [
        str(
            result.get("msg") or result.get("stderr") or result.get("censored") or "no reason given"
        ).strip()
    ]
    return "\n".join(dict.fromkeys(parts))


def _failed(tally: Tally, said: str) -> CommandError:
    hint = "Run it again with --verbose to see everything that Ansible says."
    if tally.failure:
        task, action, message = tally.failure
        if action == _VALIDATION:
            return CommandError(message, exit_code=EXIT_USAGE)
        return CommandError(f"{message} (task: {task})", hint)
    plain = _ANSI.sub("", said).replace("\r", "").strip()
    lines = _ERROR_LINE.findall(plain)
    text = "\n".join(dict.fromkeys(lines)) or "\n".join(plain.splitlines()[-_SHOWN_LINES:])
    return CommandError(f"Ansible stopped: {text or 'it gave no reason'}", hint)


def collection_root() -> Path:
    """Directory of the collection: a checkout, or where ansible-galaxy installed it."""
    return Path(errors.__file__).parents[2]


def default_inventory() -> str:
    """The inventory that is meant when none is named."""
    return os.environ.get(INVENTORY_VARIABLE) or str(collection_root() / "inventories/local")


def existing_inventory(source: str) -> str:
    """Refuse an inventory that is not there: Ansible takes it for an empty one.

    Args:
        source: What Ansible takes after ``-i``; a list of hosts has a comma in it.

    Returns:
        The same, a path from the root.

    Raises:
        CommandError: There is no such directory or file.
    """
    path = Path(source)
    if path.exists():
        return str(path.absolute())
    if "," not in source:
        raise CommandError(
            f"there is no inventory {source}",
            "Name a directory or file with --inventory.",
            exit_code=EXIT_USAGE,
        )
    return source


def playbook_file(name: str) -> Path:
    """File of a playbook.

    Raises:
        CommandError: The collection has none of this name.
    """
    path = collection_root() / "playbooks" / f"{name}.yml"
    if not path.is_file():
        raise CommandError(
            f"{path} is missing", "Install the collection again; it is not complete."
        )
    return path


def count_plays(path: Path) -> int:
    """Count the plays of a playbook, those of the playbooks that it imports included; 0 when unclear."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (OSError, yaml.YAMLError):
        return 0
    imports = [entry.get("ansible.builtin.import_playbook") for entry in entries]
    return sum(
        count_plays(path.parent / f"{name.removeprefix(f'{COLLECTION}.').removesuffix('.yml')}.yml")
        if name
        else 1
        for name in imports
    )


def _environment(directory: str) -> dict[str, str]:
    """What ansible-playbook reads; its own temporary files go where the runner's do, and away with them."""
    # The programs beside this interpreter come first: its ansible-playbook is the one that was tested with it.
    root = collection_root()
    places = [str(root.parents[2]), os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")]
    environment = {
        "PATH": os.pathsep.join(
            [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        ),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(place for place in places if place),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "ANSIBLE_LOCAL_TEMP": str(Path(directory, "ansible")),
        "ANSIBLE_REMOTE_TMP": str(Path(directory, "ansible")),
    }
    configuration = root / "ansible.cfg"
    if "ANSIBLE_CONFIG" not in os.environ and configuration.is_file():
        environment["ANSIBLE_CONFIG"] = str(configuration)
    return environment
