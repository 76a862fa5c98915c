# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A new signing key refuses nobody: tokens of the old one and of the new one are accepted all the time."""

from __future__ import annotations

import base64
import json
import threading

import pytest

from .client import Caller, bearer, fetch_token
from .own_platform import OwnPlatform
from .platform_json import Platform

pytestmark = pytest.mark.disruptive

_PATH = "/v1/models"


def _key_of(token: str) -> str:
    head = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


def test_a_rotation_refuses_nobody(own: OwnPlatform, platform: Platform, nobody: Caller) -> None:
    tenant = min(platform.tenants)
    old = fetch_token(platform, tenant)
    ended = threading.Event()
    statuses: list[int] = []

    def status(token: str) -> int:
        return nobody.get(_PATH, headers=[bearer(token)]).status_code

    def ask() -> None:
        while not ended.is_set():
            # The newest there is: at some moment of the rotation that is one of the new key.
            statuses.extend(status(token) for token in (old, fetch_token(platform, tenant)))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        rows = json.loads(own.ask("signing-key", "rotate", "--json"))
    finally:
        ended.set()
        thread.join()
    assert [row["state"] for row in rows] == ["signing", "retired"]
    assert [row["id"] for row in rows] == [_key_of(fetch_token(platform, tenant)), _key_of(old)]
    statuses += [status(token) for token in (old, fetch_token(platform, tenant))]
    assert set(statuses) == {200}
    assert "nothing to change" in own.up()
