# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write the generated pages of docs/. `make docs` runs it in the environment that the bootstrap made."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import (
    versions_markdown,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import write_reference

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"

if __name__ == "__main__":
    for page in write_reference(REFERENCE):
        print(page)
    versions = REFERENCE / "versions.md"
    versions.write_text(versions_markdown(), encoding="utf-8")
    print(versions)
