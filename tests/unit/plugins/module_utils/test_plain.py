# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain values out of other containers and scalars."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ansible_collections.inferencebox.platform.plugins.module_utils.plain import to_plain


class _Text(str):
    __slots__ = ()


class _Number(int):
    pass


class _Items(list[Any]):
    pass


def test_containers_and_scalars_become_pythons_own() -> None:
    value: Mapping[str, Any] = MappingProxyType(
        {_Text("key"): _Items([_Number(3), (_Text("text"), 1.5, None, True)])}
    )
    plain = to_plain(value)
    assert plain == {"key": [3, ["text", 1.5, None, True]]}
    assert type(plain) is dict
    assert [type(key) for key in plain] == [str]
    assert type(plain["key"]) is list
    assert [type(item) for item in plain["key"]] == [int, list]
    assert [type(item) for item in plain["key"][1]] == [str, float, type(None), bool]


def test_other_scalars_are_left_alone() -> None:
    day = datetime.date(2026, 11, 24)
    assert to_plain([day]) == [day]


def test_the_copy_shares_nothing() -> None:
    inner: list[Any] = []
    assert to_plain({"a": inner})["a"] is not inner
