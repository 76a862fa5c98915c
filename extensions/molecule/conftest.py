# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every scenario's tests know: the platform that shared/create.yml chose, and who owns which part of it."""

from __future__ import annotations

import getpass
import grp
import os
import pwd
import typing as t
from dataclasses import dataclass

import pytest
import yaml
from cryptography import x509

if t.TYPE_CHECKING:
    from testinfra.host import Host
    from testinfra.modules.file import File


@dataclass(frozen=True)
class Instance:
    """One platform.

    Attributes:
        name: Its name in the inventory.
        directory: What shared/destroy.yml removes.
        home: Its state directory, below `directory`.
        ports: Of tier 1, Prometheus and metrics.
    """

    name: str
    directory: str
    home: str
    ports: tuple[int, ...]

    @property
    def gateway(self) -> str:
        """Where tier 1 listens, as testinfra names a socket."""
        return f"tcp://127.0.0.1:{self.ports[0]}"

    def path(self, name: str) -> str:
        """A path below the home."""
        return f"{self.home}/{name}" if name else self.home

    def user(self, role: str) -> str:
        """Who a part belongs to: its own Unix user when installed by root, else the one who installs."""
        return f"ib-{self.name}-{role}" if role != "installer" and is_root() else getpass.getuser()

    def group(self, role: str) -> str:
        """The group of that user."""
        if role == "installer" or not is_root():
            return grp.getgrgid(os.getegid()).gr_name
        return self.user(role)


def is_root() -> bool:
    """Whether parts have Unix users of their own."""
    return os.geteuid() == 0


@pytest.fixture(scope="session")
def instance() -> Instance:
    """The platform under test."""
    with open(
        f"{os.environ['MOLECULE_EPHEMERAL_DIRECTORY']}/instance.yml", encoding="utf-8"
    ) as file:
        chosen = yaml.safe_load(file)
    return Instance(**{**chosen, "ports": tuple(chosen["ports"])})


class Described(t.NamedTuple):
    """What `ls -l` says of a file."""

    user: str
    group: str
    mode: str


@pytest.fixture
def described(host: Host, instance: Instance) -> t.Callable[[str], Described]:
    """Reads owner, group and mode of a path below the home."""

    def read(name: str) -> Described:
        file: File = host.file(instance.path(name))
        assert file.exists, f"{file.path} is missing"
        return Described(file.user, file.group, f"{file.mode:04o}")

    return read


@pytest.fixture
def owned(instance: Instance) -> t.Callable[[str, str, str], Described]:
    """Makes what `described` should say, from roles instead of users."""

    def expect(user: str, group: str, mode: str) -> Described:
        return Described(instance.user(user), instance.group(group), mode)

    return expect


@pytest.fixture
def certificate(host: Host, instance: Instance) -> t.Callable[[str], x509.Certificate]:
    """Reads a certificate below the home."""
    return lambda name: x509.load_pem_x509_certificate(host.file(instance.path(name)).content)


@pytest.fixture
def processes(instance: Instance) -> t.Callable[[], list[Process]]:
    """Lists what runs below the home."""
    return lambda: list(_processes(instance.home))


@pytest.fixture
def listening(host: Host, processes: t.Callable[[], list[Process]]) -> t.Callable[[], set[str]]:
    """Lists the TCP addresses at which processes of the platform listen."""

    def read() -> set[str]:
        owners = {f"pid={process.pid}," for process in processes()}
        lines = host.check_output(
            "ss --no-header --tcp --listening --numeric --processes"
        ).splitlines()
        return {line.split()[3] for line in lines if any(owner in line for owner in owners)}

    return read


@dataclass(frozen=True)
class Process:
    """A process that was started with a path below the home."""

    pid: int
    user: str
    command: tuple[str, ...]
    environment: tuple[str, ...]


def _processes(home: str) -> t.Iterator[Process]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            uid = os.stat(f"/proc/{pid}").st_uid
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = _words(file.read())
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = _words(file.read())
        except OSError:
            continue  # it ended meanwhile, or is another user's
        if any(word == home or word.startswith(f"{home}/") for word in command):
            yield Process(int(pid), pwd.getpwuid(uid).pw_name, command, environment)


def _words(content: bytes) -> tuple[str, ...]:
    return tuple(word.decode(errors="replace") for word in content.rstrip(b"\0").split(b"\0"))
