# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m tests.cluster` keeps a control plane running until it is interrupted, to try things on.

The first line that it prints is the path of the administrator's kubeconfig.
"""

from __future__ import annotations

import contextlib
import signal

from tests.cluster.control_plane import ControlPlane


def main() -> None:
    """Run until SIGINT or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), ControlPlane() as plane:
        print(plane.kubeconfig, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
