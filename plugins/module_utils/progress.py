# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module says while it still runs: Ansible shows a module's result, and that is there at its end alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Begins each line of it, by which `inferencebox up` knows them among Ansible's own.
MARK = "waiting: "

_listeners: list[Callable[[str], None]] = []


def tell(text: str) -> None:
    """Say something to whoever listens; a module that was sent to another machine or process has no listener."""
    for listener in _listeners:
        listener(f"{MARK}{text}")


@contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Let a listener hear what is told meanwhile."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
