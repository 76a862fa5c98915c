# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command where only the collection is installed: `python COLLECTION/src/inferencebox`.

Nothing of it needs to be on Python's path: the collection that this file is a part of is what is used.
"""

import sys
from pathlib import Path

COLLECTION = Path(__file__).resolve().parents[2]
# Where Python finds `inferencebox`, and where it finds `ansible_collections`. Python itself put this folder first, in
# which the package's own modules would stand beside the standard library's.
sys.path[:1] = [str(COLLECTION / "src"), str(COLLECTION.parents[2])]

try:
    from inferencebox.cli import main
except ModuleNotFoundError as error:
    sys.exit(
        f"error: the Python package {error.name} is missing\n"
        f"Install what the command needs: {sys.executable} -m pip install "
        f"--requirement {COLLECTION / 'requirements/driver.txt'}"
    )

if __name__ == "__main__":
    sys.exit(main())
