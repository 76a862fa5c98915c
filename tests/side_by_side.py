# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tests stay together in one process of pytest-xdist."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class BySuite(LoadScopeScheduling):
    """A suite shares a platform, so it stays together; of the unit tests, which share none, each module does."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        suite = path.split("/")[1]
        return path if suite == "unit" else suite
