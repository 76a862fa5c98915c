# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unix users without home, password or shell, for processes that have to be kept apart."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
import typing as t
from dataclasses import dataclass

from ..errors import PlatformError

_NOBODYS_HOME = "/nonexistent"
_NO_SHELL = "/usr/sbin/nologin"
# userdel(8): the user does not exist.
_ABSENT = 6


class UserError(PlatformError):
    """A user could not be created or removed."""


@dataclass(frozen=True)
class User:
    """A user, and the groups that it is in beside the one of its own name."""

    name: str
    groups: tuple[str, ...] = ()


def missing(names: t.Iterable[str]) -> list[str]:
    """Those of the names that no user has."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return [name for name in names if name not in known]


def create(users: t.Sequence[User], *, check: bool = False) -> list[str]:
    """Create the users that are missing, in the order given: one may be in the group of an earlier one.

    Args:
        users: Who is wanted. Groups of users that exist are left alone.
        check: Only tell.

    Returns:
        The names of those that were, or would be, created.

    Raises:
        UserError: useradd is missing or refuses.
    """
    absent = missing(user.name for user in users)
    for user in users if not check else ():
        if user.name in absent:
            _create(user)
    return absent


def remove(names: t.Sequence[str], *, check: bool = False) -> list[str]:
    """Remove users with the groups of their names, in the order given.

    Args:
        names: Who is to go. A group that still has members stays, so whoever is in another's group goes first.
        check: Only tell.

    Returns:
        The names of those that were, or would be, removed.

    Raises:
        UserError: userdel is missing or refuses.
    """
    absent = missing(names)
    there = [name for name in names if name not in absent]
    for name in there if not check else ():
        _run("userdel", name, accepted=(0, _ABSENT))
    return there


def _create(user: User) -> None:
    # A group of that name may be left from before.
    own = ["--gid", user.name] if _group_exists(user.name) else ["--user-group"]
    others = ["--groups", ",".join(user.groups)] if user.groups else []
    place = ["--no-create-home", "--home-dir", _NOBODYS_HOME, "--shell", _NO_SHELL]
    _run("useradd", "--system", *place, *own, *others, user.name)


def _group_exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _run(program: str, *arguments: str, accepted: t.Container[int] = (0,)) -> None:
    # Not everybody who is root has these directories on the path.
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            [shutil.which(program, path=path) or program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise UserError(
            f"cannot run {program}: {error.strerror}",
            hint="install the package passwd (Debian, Ubuntu) or shadow-utils",
        ) from error
    if done.returncode not in accepted:
        raise UserError(f"{program} {arguments[-1]}: {done.stderr.strip() or done.returncode}")
