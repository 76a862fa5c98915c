# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Supervisor's configuration files as pure text: one for the daemon, one per program."""

from __future__ import annotations

import os
import shlex
import typing as t
from dataclasses import dataclass, field

from ..errors import ProcessError

# A server that could not load its model exits with this: trying again would end the same way.
CANNOT_LOAD = 3

GUARDIAN = "guardian"
GUARDIAN_MODULE = "inferencebox.guardian"

# Tries of a program without which nothing works: they never end, and their pauses keep them from spinning.
ALWAYS = 1_000_000

# A child dies with its parent, so that a killed supervisord leaves no orphan holding a socket (prctl(2)).
_DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")


@dataclass(frozen=True)
class Program:
    """One supervised process.

    Attributes:
        name: Unique; letters, digits, `.`, `_`, `-`.
        command: Executable (absolute path) and arguments.
        stdout_log: File that takes its standard output.
        stderr_log: File that takes its standard error; the same path as stdout_log puts both in one file.
        directory: Working directory.
        user: Unix user to run as; only root can set one.
        environment: Variables added to the daemon's own.
        umask: File creation mask.
        revision: Anything that must restart the program when it changes and is not in the command.
        reads: Files that it reads at its start: another content restarts it.
        priority: Lower starts first and stops last.
        start_seconds: How long it must stay up to count as started; one that ends sooner is started again after a
            pause that grows by a second each time.
        start_tries: How many times in a row it may fail to start before it is left alone.
        stop_seconds: How long it may take to finish requests before it is killed.
        stop_signal: Signal that asks it to stop.
        die_with_parent: False only for what must outlive a killed supervisord.
    """

    name: str
    command: tuple[str, ...]
    stdout_log: str
    stderr_log: str
    directory: str = "/"
    user: str | None = None
    environment: t.Mapping[str, str] = field(default_factory=dict)
    umask: int = 0o007
    revision: str = ""
    reads: tuple[str, ...] = ()
    priority: int = 500
    start_seconds: int = 1
    start_tries: int = ALWAYS
    stop_seconds: int = 15
    stop_signal: str = "TERM"
    die_with_parent: bool = True


@dataclass(frozen=True)
class Daemon:
    """supervisord itself, by where it lies below a platform's home.

    Attributes:
        home: Absolute path of the platform's state.
        root: Whether it is run by root.
    """

    home: str
    root: bool = False

    @property
    def python(self) -> str:
        """Interpreter of the runtime environment."""
        return os.path.join(self.home, "runtime", "bin", "python")

    @property
    def executable(self) -> str:
        """The supervisord command."""
        return os.path.join(self.home, "runtime", "bin", "supervisord")

    @property
    def directory(self) -> str:
        """The directory of its configuration."""
        return os.path.join(self.home, "supervisor")

    @property
    def config(self) -> str:
        """Its main configuration file."""
        return os.path.join(self.directory, "supervisord.conf")

    @property
    def programs(self) -> str:
        """The directory of the programs' files."""
        return os.path.join(self.directory, "programs")

    @property
    def socket(self) -> str:
        """Unix socket of its API."""
        return os.path.join(self.home, "run", "supervisor.sock")

    @property
    def pid_file(self) -> str:
        """The file that holds its process id while it runs."""
        return os.path.join(self.directory, "supervisord.pid")

    @property
    def guardian_lock(self) -> str:
        """The file that a running guardian holds locked; it contains the guardian's process id."""
        return os.path.join(self.directory, "guardian.lock")

    @property
    def logs(self) -> str:
        """The directory of all logs."""
        return os.path.join(self.home, "logs")

    @property
    def log(self) -> str:
        """The daemon's own log."""
        return os.path.join(self.logs, "supervisord.log")


def guardian_program(daemon: Daemon) -> Program:
    """The process that brings a killed supervisord back; it starts last and is stopped first."""
    log = os.path.join(daemon.logs, "guardian.output.log")
    options = {
        "--supervisord": daemon.executable,
        "--config": daemon.config,
        "--lock": daemon.guardian_lock,
        "--log": os.path.join(daemon.logs, "guardian.log"),
    }
    arguments = [part for option in options.items() for part in option]
    return Program(
        name=GUARDIAN,
        command=(daemon.python, "-m", GUARDIAN_MODULE, *arguments),
        stdout_log=log,
        stderr_log=log,
        priority=999,
        umask=0o077,
        die_with_parent=False,
    )


def supervisord_ini(daemon: Daemon) -> str:
    """Content of supervisord.conf: no TCP port, an API socket for the owner only, one file per program."""
    return _section(
        "supervisord",
        {
            "nodaemon": "false",
            "silent": "false",
            "pidfile": _text(daemon.pid_file),
            "logfile": _text(daemon.log),
            "logfile_maxbytes": "5MB",
            "logfile_backups": "2",
            "loglevel": "info",
            "directory": _text(daemon.directory),
            "childlogdir": _text(daemon.directory),
            "umask": "027",
            # Said aloud, it keeps supervisord from warning at each start.
            **({"user": "root"} if daemon.root else {}),
        },
    ) + "\n".join(
        [
            _section("unix_http_server", {"file": _text(daemon.socket), "chmod": "0700"}),
            _section(
                "rpcinterface:supervisor",
                {
                    "supervisor.rpcinterface_factory": (
                        "supervisor.rpcinterface:make_main_rpcinterface"
                    )
                },
            ),
            _section("supervisorctl", {"serverurl": _text(f"unix://{daemon.socket}")}),
            _section("include", {"files": _text(os.path.join(daemon.programs, "*.conf"))}),
        ]
    )


def program_ini(program: Program) -> str:
    """Content of one program's file.

    Raises:
        ProcessError: A value holds what supervisor's configuration syntax cannot express.
    """
    prefix = _DIE_WITH_PARENT if program.die_with_parent else ()
    # Without a home of its own a program of another user would look for files in the daemon's.
    environment = {**({"HOME": program.directory} if program.user else {}), **program.environment}
    if program.revision:
        environment["INFERENCEBOX_REVISION"] = program.revision
    shared_log = program.stdout_log == program.stderr_log
    return _section(
        f"program:{program.name}",
        {
            "command": _text(shlex.join([*prefix, *program.command])),
            "directory": _text(program.directory),
            **({"user": program.user} if program.user else {}),
            "umask": f"{program.umask:03o}",
            **({"environment": _environment(environment)} if environment else {}),
            "priority": str(program.priority),
            "autostart": "true",
            # Whatever ends without having been asked to comes back, after a clean exit too.
            "autorestart": "unexpected",
            "exitcodes": str(CANNOT_LOAD),
            "startsecs": str(program.start_seconds),
            # Supervisor counts what follows the first try.
            "startretries": str(program.start_tries - 1),
            "stopsignal": program.stop_signal,
            "stopwaitsecs": str(program.stop_seconds),
            "killasgroup": "true",
            "redirect_stderr": "true" if shared_log else "false",
            **_log("stdout", program.stdout_log),
            **({} if shared_log else _log("stderr", program.stderr_log)),
        },
    )


def _section(title: str, values: t.Mapping[str, str]) -> str:
    return "\n".join([f"[{title}]", *(f"{key}={value}" for key, value in values.items())]) + "\n"


def _log(stream: str, path: str) -> dict[str, str]:
    return {
        f"{stream}_logfile": _text(path),
        f"{stream}_logfile_maxbytes": "10MB",
        f"{stream}_logfile_backups": "2",
    }


def _environment(variables: t.Mapping[str, str]) -> str:
    for name, value in variables.items():
        if '"' in value:
            raise ProcessError(
                f"environment variable {name} may not hold a double quote: {value!r}"
            )
    return ",".join(f'{name}="{_text(value)}"' for name, value in sorted(variables.items()))


def _text(value: str) -> str:
    """Escape `%`, which supervisor expands; refuse what it would cut off as a comment or a new line."""
    if "\n" in value or " ;" in value or " #" in value:
        raise ProcessError(
            f"supervisor's configuration cannot hold this value: {value!r}",
            hint="Use no line break, and no blank before ';' or '#'.",
        )
    return value.replace("%", "%%")
