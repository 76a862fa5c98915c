# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects as rules see them: by kind and name, with what controllers make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ..gateway_pod import CONFIGURATION
from ..naming import MANAGED_LABEL
from ..objects import Object


@dataclass(frozen=True)
class Finding:
    """Something that has no effect, or another than it reads.

    Attributes:
        rule: Name of the rule.
        object: The object, as ``Kind namespace/name``.
        path: Where in it.
        reason: What happens instead.
        remedy: What to do.
    """

    rule: str
    object: str
    path: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.object}: {self.path}: {self.reason}. {self.remedy} [{self.rule}]"


class Objects:
    """A set of objects that are applied together."""

    def __init__(self, objects: Iterable[Object]) -> None:
        """Index objects by kind, namespace and name."""
        given = [each for each in objects if each]
        self.all = [*given, *_configured(given)]
        self._known = {(each["kind"], namespace(each), name(each)) for each in self.all}
        # The AI Gateway makes an HTTPRoute of each of its routes, under the same name.
        self._known |= {
            ("HTTPRoute", namespace(each), name(each)) for each in self.of("AIGatewayRoute")
        }

    def of(self, *kinds: str) -> list[Object]:
        """List the objects of some kinds."""
        return [each for each in self.all if each["kind"] in kinds]

    def has(self, kind: str, where: str, called: str) -> bool:
        """Whether an object is there, or will be made by a controller."""
        return (kind, where, called) in self._known

    def find(self, kind: str, where: str, called: str) -> Object | None:
        """Find an object."""
        for each in self.of(kind):
            if (namespace(each), name(each)) == (where, called):
                return each
        return None

    @property
    def standalone(self) -> bool:
        """Whether Envoy Gateway runs without a cluster."""
        return any(
            spec(each).get("provider", {}).get("type") == "Host" for each in self.of("EnvoyProxy")
        )


def _configured(objects: Iterable[Object]) -> Iterator[Object]:
    """List what a tier 1 without controller is configured with: objects in a file of its ConfigMap."""
    for each in objects:
        if each["kind"] == "ConfigMap" and MANAGED_LABEL in (each["metadata"].get("labels") or {}):
            for key in CONFIGURATION:
                text = (each.get("data") or {}).get(key, "")
                yield from (found for found in yaml.safe_load_all(text) if found)


Rule = Callable[[Objects], Iterator[Finding]]


def name(each: Object) -> str:
    """An object's name."""
    return str(each["metadata"].get("name", ""))


def namespace(each: Object) -> str:
    """An object's namespace; empty where it has none."""
    return str(each["metadata"].get("namespace", ""))


def spec(each: Object) -> Any:
    """An object's spec."""
    return each.get("spec") or {}


def shown(each: Object) -> str:
    """Write which object this is."""
    place = f"{namespace(each)}/" if namespace(each) else ""
    return f"{each['kind']} {place}{name(each)}"


def targets(each: Object) -> Iterator[tuple[str, Object]]:
    """List what a policy is attached to, each with its path."""
    found = spec(each)
    if "targetRef" in found:
        yield "spec.targetRef", found["targetRef"]
    for index, reference in enumerate(found.get("targetRefs") or []):
        yield f"spec.targetRefs[{index}]", reference


def backend_references(each: Object) -> Iterator[tuple[str, Object]]:
    """List where a route's rules send requests, each with its path."""
    for index, rule in enumerate(spec(each).get("rules") or []):
        for place, reference in enumerate(rule.get("backendRefs") or []):
            yield f"spec.rules[{index}].backendRefs[{place}]", reference


def made_services(service: Object) -> Iterator[str]:
    """List the Services that KServe makes of an InferenceService."""
    called = name(service)
    for component in ("predictor", "transformer", "explainer"):
        if component in spec(service):
            yield f"{called}-{component}"
    for canary in spec(service).get("canary") or []:
        yield f"{called}-{canary['predictor'].get('name', '')}-predictor"
