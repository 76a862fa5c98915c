# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a container is told about its Pod: environment variables, arguments, and files of the downward API.

https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Object = Mapping[str, Any]
# What the node says that it has: enough for every Pod, most of which take nothing.
CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "250", "ephemeral-storage": "1Ti"}
_REFERENCE = re.compile(r"\$\$|\$\((\w+)\)")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
_SUFFIXES = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
}


def environment(pod: Object, container: Object, sources: Mapping[str, Object]) -> dict[str, str]:
    """Work out a container's own variables.

    Args:
        pod: Its Pod, with addresses in its status.
        container: The container.
        sources: Secrets and ConfigMaps that it refers to, as "secret/NAME" and "configMap/NAME", decoded.
    """
    found: dict[str, str] = {}
    for row in container.get("env") or []:
        if "valueFrom" not in row:
            # The API leaves an empty value out.
            found[row["name"]] = expanded(row.get("value", ""), found)
            continue
        given = row.get("valueFrom") or {}
        if "fieldRef" in given:
            found[row["name"]] = field(pod, given["fieldRef"]["fieldPath"])
        elif "resourceFieldRef" in given:
            found[row["name"]] = resource(container, given["resourceFieldRef"])
        else:
            for kind, key in (("secret", "secretKeyRef"), ("configMap", "configMapKeyRef")):
                if reference := given.get(key):
                    data = sources.get(f"{kind}/{reference['name']}") or {}
                    if reference["key"] in data:
                        found[row["name"]] = str(data[reference["key"]])
    return found


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """Put variables into a text where it names them as ``$(NAME)``; unknown names stay as they are."""
    return _REFERENCE.sub(
        lambda found: "$" if found[1] is None else variables.get(found[1], found[0]), text
    )


def field(pod: Object, path: str) -> str:
    """Read one field of a Pod as the downward API does."""
    if found := _KEYED.fullmatch(path):
        return str((pod["metadata"].get(found[1]) or {}).get(found[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        rows = pod["metadata"].get(path.partition(".")[2]) or {}
        return "".join(f'{key}="{_quoted(value)}"\n' for key, value in sorted(rows.items()))
    value: Any = pod
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource(container: Object, reference: Object) -> str:
    """Read one of a container's own resources, in units of the divisor, rounded up."""
    kind, _, name = reference["resource"].partition(".")
    own = ((container.get("resources") or {}).get(kind) or {}).get(name)
    # Without a limit of its own, a container may take what the node has.
    amount = own or CAPACITY.get(name, "0")
    divisor = amount_of(str(reference.get("divisor") or "1")) or Decimal(1)
    return str(math.ceil(amount_of(str(amount)) / divisor))


def amount_of(text: str) -> Decimal:
    """Read a quantity of Kubernetes."""
    if text.endswith("m"):
        return Decimal(text[:-1]) / 1000
    for suffix, factor in _SUFFIXES.items():
        if text.endswith(suffix):
            return Decimal(text.removesuffix(suffix)) * factor
    return Decimal(text)
