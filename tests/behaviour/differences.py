# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a tier 1 without controller does otherwise than every other platform, and which tests say so.

These tests are expected to fail there, and one that passes is a mistake in this list. What happens instead is tested by requests
on the same programs, in tests/cluster, by tests whose names begin with `test_difference`. docs/architecture.md has the same sentences.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

# Value of `gateway` in platform.json.
STANDALONE = "standalone"


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        said: What is so, in one sentence.
        tests: Names of tests with their files, as patterns of a shell; a name alone is all its parameters.
    """

    said: str
    tests: tuple[str, ...]


DIFFERENCES: tuple[Difference, ...] = ()


def of(test: str) -> Difference | None:
    """Find the difference by which a test fails.

    Args:
        test: Its name with its file, as ``test_health.py::test_everything[/]``.
    """
    name = test.partition("[")[0]
    for one in DIFFERENCES:
        # Parameters hold characters that are patterns' own.
        if any(pattern == name or fnmatch.fnmatchcase(test, pattern) for pattern in one.tests):
            return one
    return None
