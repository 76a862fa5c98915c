# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plain Python values out of what Ansible hands to a filter.

Since ansible-core 2.19 a filter meets containers that template their items when they are read, and
scalars that carry tags. Code that reads containers from C (pydantic does) sees the untemplated
slots instead, and PyYAML refuses tagged scalars. So every filter passes its input through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def to_plain(value: Any) -> Any:
    """Copy a value into plain dicts, lists and scalars.

    Args:
        value: Mappings, lists, tuples and scalars, nested as deep as needed.

    Returns:
        The same data as ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and ``None``;
        a scalar of any other type (a date, say) comes back as it is. The input stays unchanged.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    for scalar in (str, int, float):
        if isinstance(value, scalar):
            return scalar(value)
    return value
