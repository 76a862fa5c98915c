# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An inventory as the checks see it: valid or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..errors import Problem
from .platform import Platform


@dataclass(frozen=True)
class Draft:
    """An inventory on which the checks can work, whether it is valid or not.

    Attributes:
        platform: The inventory; values that could not be read are replaced.
        replaced: Paths of the values that were replaced: what is said of them means nothing.
    """

    platform: Platform
    replaced: frozenset[str] = frozenset()

    @property
    def target(self) -> str:
        """The platform's target; empty where the user wrote none that is known."""
        return "" if "platform_target" in self.replaced else self.platform.target

    def knows(self, kind: str, key: str) -> bool:
        """Whether `key` of every entry of a list is what the user wrote.

        Args:
            kind: "tenants", "models" or "providers".
            key: Path of the key inside an entry.
        """
        for path in self.replaced:
            head, _, rest = path.partition(".")
            if head.split("[")[0] == kind and (not rest or f"{key}.".startswith(f"{rest}.")):
                return False
        return True


Check = Callable[[Draft], Iterator[Problem]]


def choose(lead: str, names: Iterable[str], otherwise: str) -> str:
    """Write a remedy that lists what there is to choose from.

    Args:
        lead: Its beginning, such as "Use one of".
        names: The choices.
        otherwise: The remedy where there are none.
    """
    listed = ", ".join(sorted(names))
    return f"{lead} {listed}." if listed else otherwise
