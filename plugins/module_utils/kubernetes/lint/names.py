# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names that are too long, not what DNS admits, or the same after somebody shortened or joined them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from ..objects import Object
from .objects import Finding, Objects, Rule, made_services, name, namespace, shown, spec

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_LABEL_CHARACTERS = 63
_NAME_CHARACTERS = 253

# Kinds whose names are DNS labels, because a host name or a label is made of them.
_LABELS = ("Namespace", "Service", "InferenceService", "LLMInferenceService", "Gateway")
# Kinds of RBAC, whose names are path segments instead.
_PATHS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")

# Kinds that Envoy Gateway reads; without a cluster it tells them apart by name alone.
_READ_ALONE = (
    "AIGatewayRoute",
    "AIServiceBackend",
    "Backend",
    "BackendSecurityPolicy",
    "BackendTLSPolicy",
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyProxy",
    "Gateway",
    "HTTPRoute",
    "HTTPRouteFilter",
    "SecurityPolicy",
)


def name_not_admitted(objects: Objects) -> Iterator[Finding]:
    """Names and labels as the API server, or a controller later, will have them."""
    for each in objects.all:
        called = name(each)
        if each["kind"] in _LABELS:
            pattern = _SERVICE if each["kind"] != "Namespace" else _LABEL
            if len(called) > _LABEL_CHARACTERS or not pattern.fullmatch(called):
                yield _not_admitted(
                    each, "metadata.name", "is no DNS label of 63 characters at most"
                )
        elif each["kind"] not in _PATHS and (
            len(called) > _NAME_CHARACTERS or not _SUBDOMAIN.fullmatch(called)
        ):
            yield _not_admitted(each, "metadata.name", "is no DNS name of 253 characters at most")
        for key, value in (each["metadata"].get("labels") or {}).items():
            if len(value) > _LABEL_CHARACTERS or not _LABEL_VALUE.fullmatch(value):
                yield _not_admitted(
                    each, f"metadata.labels[{key}]", "is no label of 63 characters at most"
                )


def _not_admitted(each: Object, path: str, reason: str) -> Finding:
    return Finding("name-not-admitted", shown(each), path, reason, "Shorten it or change it.")


def made_name_too_long(objects: Objects) -> Iterator[Finding]:
    """KServe appends to a name what it is for, and a Service ends at 63 characters."""
    for service in objects.of("InferenceService"):
        for made in made_services(service):
            if len(made) > _LABEL_CHARACTERS:
                yield Finding(
                    "made-name-too-long",
                    shown(service),
                    "metadata.name",
                    f"its Service {made} has {len(made)} characters, and is never made",
                    f"Use a name {len(made) - _LABEL_CHARACTERS} characters shorter.",
                )


def name_taken_twice(objects: Objects) -> Iterator[Finding]:
    """Two objects of one name: the later takes the earlier's place."""
    first: dict[tuple[str, str, str], Object] = {}
    for each in objects.all:
        alone = objects.standalone and each["kind"] in _READ_ALONE
        place = "" if alone else namespace(each)
        for kind, called in _names(each):
            other = first.setdefault((kind, place, called), each)
            if other is not each:
                where = "" if namespace(other) == namespace(each) else " of another namespace"
                yield Finding(
                    "name-taken-twice",
                    shown(each),
                    "metadata.name",
                    f"{shown(other)}{where} already makes {kind} {called}",
                    "Rename one of the two.",
                )


def _names(each: Object) -> Iterator[tuple[str, str]]:
    yield each["kind"], name(each)
    if each["kind"] == "AIGatewayRoute":
        yield "HTTPRoute", name(each)
    if each["kind"] == "InferenceService":
        for made in made_services(each):
            yield "Service", made


def host_too_long(objects: Objects) -> Iterator[Finding]:
    """A host's labels end at 63 characters each."""
    hosts: defaultdict[str, list[tuple[Object, str]]] = defaultdict(list)
    for each in objects.of("HTTPRoute", "AIGatewayRoute"):
        for index, host in enumerate(spec(each).get("hostnames") or []):
            hosts[host].append((each, f"spec.hostnames[{index}]"))
    for each in objects.of("VirtualService"):
        for index, host in enumerate(spec(each).get("hosts") or []):
            hosts[host].append((each, f"spec.hosts[{index}]"))
    for host, places in hosts.items():
        labels = host.removeprefix("*.").split(".")
        if len(host) > _NAME_CHARACTERS or any(len(label) > _LABEL_CHARACTERS for label in labels):
            for each, path in places:
                yield Finding(
                    "host-too-long",
                    shown(each),
                    path,
                    f"{host} cannot be a host name",
                    "Shorten the names that it is made of.",
                )


RULES: tuple[Rule, ...] = (
    name_not_admitted,
    made_name_too_long,
    name_taken_twice,
    host_too_long,
)
