# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tests stay together in one process of pytest-xdist."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

# Modules of the cluster tests that share more than programs.
_API_SERVER = ("admission", "apply", "modules", "objects_accepted", "objects_refused", "preflight")
_CONTROLLERS = ("reconciled", "tier2")
_SHARED = {
    f"tests/cluster/test_{name}.py": names[0]
    for names in (_API_SERVER, _CONTROLLERS)
    for name in names
}


class BySuite(LoadScopeScheduling):
    """A suite shares a platform, so it stays together; where most modules share none, each of them does."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        suite = path.split("/")[1]
        return _SHARED.get(path, path) if suite in {"unit", "cluster"} else suite
