# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node would do in a cluster that has none: end Jobs, without running them.

Helm waits for the Jobs of a chart's hooks. Nothing that such a Job would make is made: a Secret with certificates,
say, is missing afterwards.
"""

from __future__ import annotations

import threading
import time
import types
import typing as t
from datetime import UTC, datetime

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api, connect
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError

_PAUSE_SECONDS = 0.3
_JOBS = "/apis/batch/v1/jobs"


class StandInKubelet:
    """Ends every Job that appears, while a `with` block lasts.

    Args:
        kubeconfig: Path of an administrator's kubeconfig.

    Attributes:
        ended: Names of the Jobs, with their namespaces.
    """

    def __init__(self, kubeconfig: str) -> None:
        self._kubeconfig = kubeconfig
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.ended: list[str] = []

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with connect(self._kubeconfig) as api:
            while not self._stop.is_set():
                for job in api.list_all(_JOBS, ""):
                    if not (job.get("status") or {}).get("completionTime"):
                        self._end(api, job["metadata"])
                time.sleep(_PAUSE_SECONDS)

    def _end(self, api: Api, metadata: t.Mapping[str, t.Any]) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {"status": "True", "lastTransitionTime": now, "lastProbeTime": now}
        conditions = [{**condition, "type": kind} for kind in ("SuccessCriteriaMet", "Complete")]
        times = {"startTime": now, "completionTime": now}
        status = {"succeeded": 1, **times, "conditions": conditions}
        path = f"/apis/batch/v1/namespaces/{metadata['namespace']}/jobs/{metadata['name']}/status"
        try:
            api._request(
                "PATCH",
                path,
                headers={"Content-Type": "application/merge-patch+json"},
                body={"status": status},
            )
        except ClusterError:
            # Gone meanwhile, or changed: the next round looks again.
            return
        self.ended.append(f"{metadata['namespace']}/{metadata['name']}")
