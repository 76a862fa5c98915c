# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What `status` says of a platform on a cluster: which of its objects are not ready, and why."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import state
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import ClusterError
from rich.markup import escape

from ._home import Home
from ._output import CommandError, print_table, print_text, stdout

# What serves a model; other objects of one are parts of these.
_SERVING = ("InferenceService", "LLMInferenceService")
_GONE = "it is not there"
_UNGUARDED = (
    "NetworkPolicies are not enforced on this node: what has no sidecar can open a connection to any pod, and tenants are "
    "kept apart by the mesh's identities alone."
)


@dataclass(frozen=True)
class Model:
    """One model now.

    Attributes:
        ready: It answers.
        reason: Why it, or its newest version while an earlier one answers, is not ready; empty when all is well.
    """

    name: str
    tenant: str
    ready: bool
    reason: str

    @property
    def state(self) -> str:
        """Its state in colour."""
        if not self.ready:
            return "[red]not ready[/]"
        return "[yellow]ready, not its new version[/]" if self.reason else "[green]ready[/]"


@dataclass(frozen=True)
class Late:
    """An object that is not in force, and why."""

    kind: str
    namespace: str
    name: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """A platform on its cluster.

    Attributes:
        version: Release of the API server.
        count: Objects that the platform applied.
        late: Those that are not ready.
        models: All models that platform.json names.
    """

    version: str
    count: int
    late: list[Late]
    models: list[Model]


def read(place: Home) -> Reading:
    """Ask the cluster of a platform.

    Raises:
        CommandError: It cannot be asked.
    """
    where = place.data["cluster"]
    try:
        found = state.read(place.name, None, where["kubeconfig"] or None, where["context"] or None)
    except ClusterError as error:
        raise CommandError(error.message, error.hint) from error
    late = [
        Late(row["kind"], row["namespace"], row["name"], row["reason"])
        for row in found.objects
        if not row["ready"]
    ]
    return Reading(found.version, len(found.objects), late, _models(place, found.objects))


def warnings(place: Home) -> list[str]:
    """What its owner should know of a platform that is well."""
    # One that an earlier release installed does not say who made its cluster.
    return [_UNGUARDED] if place.data["cluster"].get("provider") == "node" else []


def _models(place: Home, rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[Model]:
    served = {(row["tenant"], row["name"]): row for row in rows if row["kind"] in _SERVING}
    models = []
    for name, each in place.models.items():
        row = served.get((each["owner"], name), {"answers": False, "reason": _GONE})
        models.append(Model(name, each["owner"], bool(row["answers"]), str(row["reason"])))
    return models


def show(place: Home, found: Reading, silence: str | None) -> None:
    """Print it for people.

    Args:
        place: The platform.
        found: What its cluster said.
        silence: Why callers do not reach the gateway; None when they do.
    """
    console = stdout()
    console.print(
        f"[bold]{escape(place.name)}[/] at {escape(place.base_url)}, on Kubernetes {escape(found.version)}"
    )
    if not found.count:
        console.print("[red]not there[/]; install it with `inferencebox up`")
        return
    if silence is not None:
        console.print(f"[red]the gateway does not answer[/]: {escape(silence)}")
    print_text("")
    print_table(
        ["MODEL", "TENANT", "STATE"],
        [
            [
                escape(model.name),
                escape(model.tenant),
                model.state,
            ]
            for model in found.models
        ],
    )
    print_text("")
    print_text(f"{found.count - len(found.late)} of {found.count} objects are ready.")
    for one in found.late:
        place_of = f"{one.namespace}/{one.name}" if one.namespace else one.name
        console.print(f"[red]{escape(one.kind)} {escape(place_of)}[/]: {escape(one.reason)}")
    for text in warnings(place):
        console.print(f"[yellow]{escape(text)}[/]")
