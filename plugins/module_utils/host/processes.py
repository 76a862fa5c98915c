# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make exactly the wanted programs run: configuration, daemon, programs, readiness, in this order.

One program that fails is a result, never an exception: nothing else is taken down with it.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import typing as t
from dataclasses import dataclass, field, replace

from .files import Changes, DirectorySpec, FileSpec, ensure_directories, write_files
from .readiness import Readiness, Wait, wait_ready
from .supervisor import Applied, Supervisor
from .supervisor_ini import Daemon, Program, guardian_program, program_ini, supervisord_ini


@dataclass(frozen=True)
class Converged:
    """What `converge` did and found."""

    changed: bool
    files: Changes = field(default_factory=Changes)
    applied: Applied = field(default_factory=Applied)
    readiness: t.Mapping[str, Readiness] = field(default_factory=dict)
    running: tuple[str, ...] = ()

    @property
    def failed(self) -> dict[str, str]:
        """Reason by name of each program that is not ready."""
        return {name: one.reason for name, one in self.readiness.items() if not one.ready}


def converge(
    daemon: Daemon,
    programs: t.Sequence[Program],
    waits: t.Sequence[Wait] = (),
    *,
    prune_prefix: str | None = None,
    keep_prefixes: t.Sequence[str] = (),
    check: bool = False,
) -> Converged:
    """Make programs run as wanted beside those that other calls asked for, and wait until they are ready.

    Args:
        daemon: The platform's supervisord; it is started with its guardian when it does not run.
        programs: What shall run.
        waits: What to wait for, all side by side; what had ended of it is started again.
        prune_prefix: Programs whose name begins so and that are not wanted are removed. None: none are.
        keep_prefixes: Programs whose name begins so are not removed yet.
        check: Compare the configuration only.

    Returns:
        What changed, and the readiness of each program in `waits`.

    Raises:
        ProcessError: The daemon itself cannot be configured or started.
        PlatformError: A file cannot be written.
    """
    supervisor = Supervisor(daemon)
    stamp = _runtime_stamp(daemon)
    wanted = [replace(one, revision=one.revision + stamp + _digest(one.reads)) for one in programs]
    directories = [DirectorySpec(path, 0o700) for path in (daemon.directory, daemon.programs)]
    files = ensure_directories(directories, check=check)
    main = write_files([FileSpec(daemon.config, supervisord_ini(daemon), 0o600)], check=check)
    own = replace(guardian_program(daemon), revision=stamp)
    files += main + _write_programs(daemon, [*wanted, own], check=check)
    files += _remove_damaged(daemon, check=check)
    files += _remove_programs(daemon, wanted, prune_prefix, keep_prefixes, check=check)
    if check:
        changed = bool(files.changed) or not supervisor.running()
        return Converged(changed, files, running=supervisor.running_programs())
    if main.changed:
        supervisor.shutdown()  # only a new daemon reads its own settings
    marks = {program.name: _size(program.stderr_log) for program in programs}
    started = supervisor.start_daemon()
    # One that is not waited for here was waited for before: what came of that stays.
    applied = supervisor.apply({wait.program for wait in waits})
    fresh = {*applied.added, *applied.restarted, *applied.retried}
    if not started:  # what ran before may have said in its old lines why it is not ready
        marks = {name: mark for name, mark in marks.items() if name in fresh}
    readiness = wait_ready(supervisor, waits, marks)
    stuck = [] if started else _stuck(supervisor, readiness, fresh)
    if stuck:
        supervisor.restart(stuck)
        again = [wait for wait in waits if wait.program in stuck]
        marks = {one.name: _size(one.stderr_log) for one in programs if one.name in stuck}
        readiness |= wait_ready(supervisor, again, marks)
    tried = (*applied.retried, *stuck)
    healed = any(name not in readiness or readiness[name].ready for name in tried)
    touched = bool(applied.added or applied.restarted or applied.removed)
    changed = bool(files.changed) or started or touched or healed
    return Converged(changed, files, applied, readiness, supervisor.running_programs())


def _stuck(
    supervisor: Supervisor, readiness: t.Mapping[str, Readiness], fresh: t.Collection[str]
) -> list[str]:
    """Programs that ran before, still run and do not answer: only a new start can mend that.

    One that is not RUNNING yet has its own time to start, and a new start would only begin that again.
    """
    status = supervisor.status()
    return [
        name
        for name, one in readiness.items()
        if not one.ready
        and name not in fresh
        and name in status
        and status[name].state == "RUNNING"
    ]


def _write_programs(daemon: Daemon, programs: t.Sequence[Program], *, check: bool) -> Changes:
    specs = [
        FileSpec(_file(daemon, program.name), program_ini(program), 0o600) for program in programs
    ]
    return write_files(specs, check=check)


def _remove_programs(
    daemon: Daemon,
    wanted: t.Sequence[Program],
    prefix: str | None,
    keep: t.Sequence[str],
    *,
    check: bool,
) -> Changes:
    if prefix is None or not os.path.isdir(daemon.programs):
        return Changes()
    names = {program.name for program in wanted}
    present = [one.removesuffix(".conf") for one in os.listdir(daemon.programs)]
    gone = [
        f"{name}.conf"
        for name in sorted(present)
        if name.startswith(prefix) and name not in names and not name.startswith(tuple(keep))
    ]
    return write_files([], [(daemon.programs, name) for name in gone], check=check)


def _remove_damaged(daemon: Daemon, *, check: bool) -> Changes:
    """Remove what would keep the daemon from reading its configuration; whoever wants the program writes it again."""
    present = os.listdir(daemon.programs) if os.path.isdir(daemon.programs) else []
    gone = [one for one in sorted(present) if one.endswith(".conf") and not _is_whole(daemon, one)]
    return write_files([], [(daemon.programs, name) for name in gone], check=check)


def _is_whole(daemon: Daemon, name: str) -> bool:
    parser = configparser.RawConfigParser()
    try:
        parser.read(os.path.join(daemon.programs, name), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return False
    return parser.has_option(f"program:{name.removesuffix('.conf')}", "command")


def _file(daemon: Daemon, name: str) -> str:
    return os.path.join(daemon.programs, f"{name}.conf")


def _runtime_stamp(daemon: Daemon) -> str:
    """What the runtime environment was made from: a program that runs from an older one is restarted."""
    try:
        with open(os.path.join(daemon.home, "runtime", "installed"), encoding="ascii") as file:
            return file.read().strip()[:16]
    except FileNotFoundError:
        return ""


def _digest(paths: t.Sequence[str]) -> str:
    """What files hold now, in few characters; empty where there are none."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            with open(path, "rb") as file:
                digest.update(file.read())
        except FileNotFoundError:
            digest.update(b"\0missing")
    return digest.hexdigest()[:16] if paths else ""


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
