# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one family of errors that the platform raises on purpose.

    PlatformError                what went wrong, and a hint what to do about it
    |-- InventoryError           the inventory is wrong; carries every Problem found
    |-- PrerequisiteError        the machine lacks something that the platform needs
    |-- ArtifactError            a model's files cannot be fetched or read
    |   `-- ChecksumError        they arrived, but are not the files that were named
    |-- GatewayConfigError       Envoy refuses a configuration; the one in use stays
    |-- ProcessError             a process does not start, stop or answer
    |-- IdentityError            a token, an API key, a certificate or a signing key
    `-- ClusterError             a Kubernetes cluster cannot be reached, or not be used as it is
        `-- RefusedError         its API server answers a request with an error

Everything else that escapes is a defect of the platform, not a mistake of its user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Longer values say nothing more to a reader and push the remedy out of sight.
_SHOWN_CHARACTERS = 80


class PlatformError(Exception):
    """Something went wrong that a person can understand and act on.

    Args:
        message: One sentence without a full stop that says what is wrong.
        hint: What to do next; empty where there is nothing useful to say.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


@dataclass(frozen=True)
class Problem:
    """One mistake in the inventory.

    Attributes:
        path: Where it is, as a reader would write it: ``tenants[1].models.allow[0]``.
        value: What stands there; None where nothing does.
        message: What is wrong with it.
        remedy: What would be right.
    """

    path: str
    value: Any
    message: str
    remedy: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" (found {_shortened(self.value)})"
        return f"{self.path}: {self.message}{shown}. {self.remedy}"


class InventoryError(PlatformError):
    """The inventory is wrong.

    Args:
        problems: All that is wrong with it, in the order of the inventory; at least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = len(problems)
        super().__init__(f"the inventory has {count} problem{'' if count == 1 else 's'}")
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([f"{self.message}:", *(f"  - {problem}" for problem in self.problems)])


class PrerequisiteError(PlatformError):
    """The machine lacks something that the platform needs."""


class ArtifactError(PlatformError):
    """A model's files cannot be fetched or read."""


class ChecksumError(ArtifactError):
    """A model's files arrived, but are not the ones that the inventory names."""


class GatewayConfigError(PlatformError):
    """Envoy refuses a configuration; the one in use stays as it is."""


class ProcessError(PlatformError):
    """A process does not start, stop or answer."""


class IdentityError(PlatformError):
    """A token, an API key, a certificate or a signing key is not usable."""


class ClusterError(PlatformError):
    """A Kubernetes cluster cannot be reached, or not be used as it is."""


class RefusedError(ClusterError):
    """The API server answers a request with an error.

    Args:
        code: HTTP status.
        reason: Kubernetes' own word for it, ``Conflict`` say; empty where there is none.
        message: The server's sentence.
        causes: What exactly, as the server lists it: rows with reason, field and message.
    """

    def __init__(
        self, code: int, reason: str, message: str, causes: Sequence[dict[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.causes = tuple(causes)


def _shortened(value: Any) -> str:
    text = repr(value)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return text[: _SHOWN_CHARACTERS - 3] + "..."
