# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.cluster` keeps a control plane running until it is interrupted, to try things on.

With names of components behind it (istio, kserve, envoy-gateway), or `nodes`, a node runs too, and their controllers
on it. The first line that it prints is the path of the administrator's kubeconfig.
"""

from __future__ import annotations

import contextlib
import signal
import sys

from tests.cluster.control_plane import ControlPlane
from tests.cluster.controlled import COMPONENTS, ControlledCluster


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wanted = sys.argv[1:]
    if unknown := [name for name in wanted if name not in ("nodes", *COMPONENTS)]:
        sys.exit(f"no component: {', '.join(unknown)}; there are nodes, {', '.join(COMPONENTS)}")
    components = [name for name in COMPONENTS if name in wanted]
    cluster = ControlledCluster(components) if wanted else ControlPlane()
    with contextlib.suppress(KeyboardInterrupt), cluster as running:
        print(running.kubeconfig, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
