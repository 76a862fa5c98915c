# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets that tier 2 presents to model servers. Made on the machine that uses them, never returned."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import typing as t
from pathlib import Path


def ensure(row: t.Mapping[str, str], *, check: bool = False) -> bool:
    """Makes one secret in the two forms that its readers want.

    Args:
        row: server_file, server_owner, server_group, gateway_file, gateway_owner, gateway_group. The server's file
            holds the secret, the gateway's the whole header value, "Bearer <secret>".
        check: Only tell.

    Returns:
        Whether anything was, or would be, made. Both files are made anew when either is missing or is not of the other.

    Raises:
        OSError: A file cannot be written.
    """
    server, gateway = Path(row["server_file"]), Path(row["gateway_file"])
    secret = _read(server)
    if secret and _read(gateway) == _header(secret):
        return False
    if not check:
        secret = secrets.token_urlsafe(32)
        _write(gateway, _header(secret), row["gateway_owner"], row["gateway_group"])
        _write(server, secret, row["server_owner"], row["server_group"])
    return True


def _header(secret: str) -> str:
    return f"Bearer {secret}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str, owner: str, group: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    Path(name).chmod(0o640)
    if os.geteuid() == 0:
        shutil.chown(name, owner, group)
    Path(name).replace(path)
