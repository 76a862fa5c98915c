# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects as they are handed in: whose they are, what is wrong with them before any request, what nobody may see."""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ClusterError
from .discovery import Resource, Resources

MANAGED_BY = "app.kubernetes.io/managed-by"
PLATFORM = "inferencebox.io/platform"
PART = "inferencebox.io/part"
# Of what something was made, as an annotation: by it is known whether that is what is wanted now.
DIGEST = "inferencebox.io/digest"
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
HIDDEN = "***"


@dataclass(frozen=True)
class Owner:
    """Whose objects these are: what may be changed and pruned, and under which name it is done.

    Attributes:
        platform: Name of the platform.
        part: Name of a part of it; empty for all of it.
    """

    platform: str
    part: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every object."""
        labels = {MANAGED_BY: "inferencebox", PLATFORM: self.platform}
        return {**labels, PART: self.part} if self.part else labels

    @property
    def selector(self) -> str:
        """The labels as a selector."""
        return ",".join(f"{name}={value}" for name, value in self.labels.items())

    @property
    def platform_selector(self) -> str:
        """As `selector`, for all parts of the platform."""
        return Owner(self.platform).selector

    @property
    def manager(self) -> str:
        """Field manager; one a platform, so that two platforms meet as a conflict instead of taking turns."""
        return f"inferencebox-{self.platform}"


@dataclass(frozen=True, order=True)
class Key:
    """Identity of an object, whatever version of its kind is spoken."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}"


@dataclass(frozen=True)
class Wanted:
    """One object to apply.

    Attributes:
        key: Its identity.
        resource: Its kind, as the cluster serves it.
        body: The object with the owner's labels.
    """

    key: Key
    resource: Resource
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """Its own path at the API server."""
        return self.resource.path(self.key.namespace, self.key.name)


def key_of(item: Mapping[str, Any], resource: Resource) -> Key:
    """Identity of an object that the server gave; items of a list carry no kind."""
    metadata = item["metadata"]
    return Key(resource.group, resource.kind, metadata.get("namespace", ""), metadata["name"])


def digest(annotated: Mapping[str, Any]) -> str:
    """Read of what something was made; empty where it does not say so."""
    return str((annotated.get("annotations") or {}).get(DIGEST, ""))


def prepare(
    objects: Sequence[Mapping[str, Any]],
    resources: Resources,
    owner: Owner,
    *,
    check: bool = False,
) -> list[Wanted]:
    """Check all objects and make them the owner's.

    Args:
        objects: As a builder made them.
        resources: The cluster's kinds; those of CRDs among the objects are added.
        owner: Whose they are.
        check: Take objects of groups that the cluster does not serve at all: what defines them may be
            installed by then.

    Returns:
        The objects, in the order given.

    Raises:
        ClusterError: With everything that is wrong with any of them.
    """
    problems: list[str] = []
    for one in objects:
        if one.get("kind") == CRD[1]:
            try:
                resources.add_definition(one)
            except (KeyError, TypeError):
                problems.append(f"{_title(one)}: not a complete CustomResourceDefinition")
    wanted: dict[Key, Wanted] = {}
    for index, one in enumerate(objects):
        try:
            made = _prepare(one, resources, owner, check=check)
        except ClusterError as error:
            problems.append(f"objects[{index}]: {error}")
            continue
        if made.key in wanted:
            problems.append(f"objects[{index}]: {made.key} is there twice")
        wanted[made.key] = made
    if problems:
        raise ClusterError("\n".join(["these objects cannot be applied:", *problems]))
    return list(wanted.values())


def _prepare(one: Mapping[str, Any], resources: Resources, owner: Owner, *, check: bool) -> Wanted:
    api_version, kind, metadata = one.get("apiVersion"), one.get("kind"), one.get("metadata")
    if not (
        isinstance(api_version, str) and isinstance(kind, str) and isinstance(metadata, Mapping)
    ):
        raise ClusterError("not an object: apiVersion, kind and metadata are needed")
    name, namespace = metadata.get("name"), metadata.get("namespace") or ""
    if not isinstance(name, str) or not name:
        raise ClusterError(f"{kind} without metadata.name")
    resource = resources.find(api_version, kind)
    group = api_version.rpartition("/")[0]
    key = Key(group, kind, namespace, name)
    if resource is None and check and not resources.serves(group):
        version = api_version.rpartition("/")[2]
        resource = Resource(group, version, kind, "", bool(namespace))
    if resource is None:
        versions = resources.versions(group, kind)
        hint = (
            f"It serves {', '.join(versions)}."
            if versions
            else "Install what defines it first, or apply its CustomResourceDefinition together with it."
        )
        raise ClusterError(f"{key}: the cluster does not serve {api_version} {kind}", hint)
    if resource.namespaced and not namespace:
        raise ClusterError(f"{key}: a {kind} needs metadata.namespace")
    if namespace and not resource.namespaced:
        raise ClusterError(f"{key}: a {kind} belongs to no namespace")
    body = copy.deepcopy(dict(one))
    body["metadata"]["labels"] = _labels(key, metadata.get("labels") or {}, owner)
    if (group, kind) == ("", "Secret"):
        _encode(body)
    return Wanted(key, resource, body)


def _encode(secret: dict[str, Any]) -> None:
    """Write ``stringData`` as the ``data`` that the server would make of it: only these can be compared."""
    plain = secret.pop("stringData", None) or {}
    encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in plain.items()}
    if encoded:
        secret["data"] = {**(secret.get("data") or {}), **encoded}


def _labels(key: Key, given: Mapping[str, str], owner: Owner) -> dict[str, str]:
    for name, value in owner.labels.items():
        if given.get(name, value) != value:
            raise ClusterError(f"{key}: label {name} is {given[name]!r}, not {value!r}")
    return {**given, **owner.labels}


def _title(one: Mapping[str, Any]) -> str:
    metadata = one.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{one.get('kind')} {name}"


def masked(one: Mapping[str, Any], other: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Copy an object without what a Secret keeps.

    Args:
        one: Any object.
        other: The same object at another time; where the two differ, the mask says so.

    Returns:
        The object; values of a Secret's ``data`` and ``stringData`` are replaced.
    """
    copied = copy.deepcopy(dict(one))
    if one.get("kind") == "Secret" and "/" not in str(one.get("apiVersion", "")):
        for part in ("data", "stringData"):
            if isinstance(copied.get(part), Mapping):
                against = (other or {}).get(part) or {}
                copied[part] = {
                    name: HIDDEN
                    if other is None or against.get(name) == value
                    else f"{HIDDEN} (differs)"
                    for name, value in copied[part].items()
                }
    return copied


def secret_values(objects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield every value that Secrets among the objects keep, as written and decoded."""
    for one in objects:
        if one.get("kind") != "Secret":
            continue
        for part in ("data", "stringData"):
            values = one.get(part)
            for value in values.values() if isinstance(values, Mapping) else ():
                text = str(value)
                yield text
                if part == "data":
                    try:
                        yield base64.b64decode(text, validate=True).decode()
                    except (binascii.Error, ValueError):
                        continue
