# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The memory limit of this process, in words."""

from __future__ import annotations

import resource

from .errors import LoadError

# Below this a server does not come up, and rarely says so: the numeric libraries of a predictive one abort or have the
# interpreter look for memory for minutes (it has 202 MiB before it loads a model), and threads and buffers of a
# language model's server abort. Weights of a language model are mapped from their file and do not count.
MIN_DATA_BYTES = 256 * 2**20

# What C libraries say when an allocation or a mapping fails.
_MARKS = (
    "bad_alloc",
    "cannot allocate memory",
    "failed to map segment",
    "out of memory",
    "unable to allocate",
    "insufficient memory",
    "start new thread",
)


def is_memory_failure(error: BaseException) -> bool:
    """Whether an error of a library means that no memory was left."""
    return isinstance(error, MemoryError) or names_memory(str(error))


def names_memory(text: str) -> bool:
    """Whether a library's message means that no memory was left."""
    lowered = text.lower()
    return any(mark in lowered for mark in _MARKS)


def limit_bytes() -> int | None:
    """The limit on this process's data in bytes (RLIMIT_DATA); None without one."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return None if soft == resource.RLIM_INFINITY else soft


def reason(subject: str) -> str:
    """Say that `subject` does not fit into this process's memory, and how much that is."""
    limit = limit_bytes()
    if limit is None:
        return f"not enough memory on this machine for {subject}"
    return f"not enough memory for {subject}: serving.resources.memory allows {limit // 2**20} MiB"


def require_minimum() -> None:
    """Refuse a limit under which no server comes up.

    Raises:
        LoadError: It is too small; the text says what it is and what it must be.
    """
    limit = limit_bytes()
    if limit is not None and limit < MIN_DATA_BYTES:
        raise LoadError(
            f"{reason('its server')}, at least {MIN_DATA_BYTES // 2**20} MiB are needed"
        )
