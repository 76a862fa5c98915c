# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects out of files that others publish, and what is laid over them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..errors import ClusterError
from .http import httpx

# Releases are a few MB, from where they are published.
_DOWNLOAD_SECONDS = 60.0
# libyaml where PyYAML was built with it: some hundred kB take seconds otherwise.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """Reads a bare ``=``, which one of upstream's definitions lists among its values, as text."""


_Loader.add_constructor(
    "tag:yaml.org,2002:value", lambda loader, node: str(loader.construct_scalar(node))
)


def read(places: Sequence[str]) -> list[dict[str, Any]]:
    """Read the objects of several files.

    Args:
        places: Paths, or addresses that begin with ``https://``.

    Returns:
        Their objects, in order.

    Raises:
        ClusterError: A file cannot be had, or is not YAML of objects.
    """
    return [one for place in places for one in _parsed(place, _text(place))]


def renamed(
    objects: Sequence[Mapping[str, Any]], images: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Let objects ask for images under other names, wherever in them an image is named.

    Args:
        objects: The objects.
        images: The names that they hold, and what stands instead.
    """

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return images.get(value, value)
        if isinstance(value, Mapping):
            return {key: walk(one) for key, one in value.items()}
        return [walk(one) for one in value] if isinstance(value, list) else value

    return [walk(one) for one in objects]


def overlaid(
    objects: Sequence[Mapping[str, Any]], over: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Lay objects over others: of those that are the same, mappings are merged, and everything else is replaced.

    One with ``$patch: delete``, as in Kustomize, takes the object away: what another part applies is applied there alone.

    Returns:
        All objects, each once.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in objects:
        # Knative's release has its definitions in a file of their own, and in the one of everything, too.
        if found.setdefault(identity := _identity(one), copy.deepcopy(dict(one))) != one:
            kind, name = identity[1], identity[3]
            raise ClusterError(f"the files hold {kind} {name} twice, and differently")
    seen = set()
    result = []
    for one in over:
        identity = _identity(one)
        if one.get("$patch") == "delete":
            found.pop(identity, None)
        elif identity in found and identity not in seen:
            found[identity] = _merged(found[identity], one)
            seen.add(identity)
        else:
            result.append(copy.deepcopy(dict(one)))
    return [*found.values(), *result]


def _text(place: str) -> str:
    try:
        if not place.startswith("https://"):
            return Path(place).read_text(encoding="utf-8")
        answer = httpx.get(place, follow_redirects=True, timeout=_DOWNLOAD_SECONDS)
        answer.raise_for_status()
    except (OSError, UnicodeDecodeError, httpx.HTTPError) as error:
        raise ClusterError(
            f"{place} cannot be read: {error}",
            "With platform_bundle, it comes from a folder of this machine.",
        ) from error
    return answer.text


def _parsed(place: str, text: str) -> Iterator[dict[str, Any]]:
    try:
        documents = list(yaml.load_all(text, _Loader))
    except yaml.YAMLError as error:
        raise ClusterError(f"{place} is not YAML: {error}") from error
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, dict) or "kind" not in document:
            raise ClusterError(f"{place} holds something that is no object")
        yield document


def _identity(one: Mapping[str, Any]) -> tuple[Any, ...]:
    metadata = one.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    group = str(one.get("apiVersion", "")).rpartition("/")[0]
    # One without a name is a mistake of its own, told elsewhere.
    name = metadata.get("name") or id(one)
    return group, one.get("kind"), metadata.get("namespace"), name


def _merged(below: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in over.items():
        both = isinstance(result.get(key), Mapping) and isinstance(value, Mapping)
        result[key] = _merged(result[key], value) if both else copy.deepcopy(value)
    return result
