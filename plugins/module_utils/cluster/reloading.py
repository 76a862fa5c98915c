# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of a ConfigMap that running pods take over: as soon as they are applied, and known to be in force.

The kubelet brings a changed ConfigMap into a running pod when it looks at that pod again, up to a minute and a half later, or at
once when an annotation of the pod changes
(https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..errors import RefusedError
from .api import Api
from .objects import DIGEST, Wanted

# On the ConfigMap: LABEL=VALUE/CONTAINER of the pods that read it. Beside it stands the digest of what they take over, which that container
# says in its log when it is in force; on the pods, which was brought to them.
READ_BY = "inferencebox.io/read-by"
_IN_FORCE = "in force: "
_LINES = 20
_NO_LOG_YET = (400, 404)
_PAUSE_SECONDS = 1.0
# The kubelet may have looked before it had heard of the change.
_AGAIN_SECONDS = 15.0


def until_read(
    api: Api,
    wanted: Sequence[Wanted],
    timeout: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Bring files to the pods that take them over, and wait until they are in force.

    Args:
        api: The cluster.
        wanted: Objects that were applied.
        timeout: Seconds to wait at most.
        now: Clock.
        sleep: Pauses for some seconds.

    Returns:
        Pods in which they are not, or of which nobody can tell, and why; none when all is well.

    Raises:
        ClusterError: The pods cannot be read.
    """
    problems = []
    deadline = now() + timeout
    for one in wanted:
        annotations = one.body["metadata"].get("annotations") or {}
        if one.key.kind == "ConfigMap" and READ_BY in annotations:
            selector, _, container = annotations[READ_BY].rpartition("/")
            reading = _Reading(api, one.key.namespace, selector, container, annotations[DIGEST])
            while (problem := reading.problem(now())) and now() < deadline:
                sleep(_PAUSE_SECONDS)
            problems += [problem] if problem else []
    return problems


class _Reading:
    def __init__(
        self, api: Api, namespace: str, selector: str, container: str, digest: str
    ) -> None:
        self._api, self._pods = api, f"/api/v1/namespaces/{namespace}/pods"
        self._selector, self._container, self._digest = selector, container, digest
        self._brought: dict[str, float] = {}

    def problem(self, now: float) -> str:
        """Look at all pods once; what is wrong with the first that has not taken the file over."""
        late = [name for name in self._names() if not self._is_in_force(name)]
        for name in late:
            if now - self._brought.get(name, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
                self._brought[name] = now
                self._bring(name, now)
        return f"pod {late[0]} has not taken over what was changed" if late else ""

    def _names(self) -> list[str]:
        pods = self._api.list_all(self._pods, self._selector)
        return [
            pod["metadata"]["name"]
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp")
            and (pod.get("status") or {}).get("phase") == "Running"
        ]

    def _is_in_force(self, name: str) -> bool:
        try:
            log = self._api.log(f"{self._pods}/{name}", self._container, _LINES)
        except RefusedError as error:
            # Whoever may not read logs believes the pod; one that does not run yet has none.
            return error.code not in _NO_LOG_YET
        said = [line for line in log.splitlines() if line.startswith(_IN_FORCE)]
        return said[-1:] == [f"{_IN_FORCE}{self._digest}"]

    def _bring(self, name: str, now: float) -> None:
        # Another value each time: the kubelet looks at pods that have changed.
        value = f"{self._digest}-{now:.0f}"
        self._api.annotate(f"{self._pods}/{name}", {DIGEST: value})
