# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every part of a platform against golden files that a person can read.

`python -m pytest tests/unit/plugins/module_utils/kubernetes --write-golden` writes them anew; read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    PARTS,
    objects,
    to_yaml,
)

from . import sample

GOLDEN = Path(__file__).parent / "golden"
PLATFORMS = {"full": sample.full, "small": sample.small}


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_the_golden_one(name: str, part: str, request: pytest.FixtureRequest) -> None:
    made = objects(PLATFORMS[name](), part)
    path = GOLDEN / name / f"{part}.yml"
    if request.config.getoption("--write-golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_yaml(made) or "---\n", encoding="utf-8")
    kept = [found for found in yaml.safe_load_all(path.read_text(encoding="utf-8")) if found]
    assert made == kept


def test_nothing_golden_is_of_no_part() -> None:
    kept = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*.yml")}
    assert kept == {f"{name}/{part}.yml" for name in PLATFORMS for part in PARTS}
