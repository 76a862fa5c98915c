# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validate an Envoy configuration as a whole, then make it live file by file.

`envoy --mode validate` checks that xDS files exist and never reads them (seen with 1.40: a listener with an unknown
field in a watched file passes). So the candidate is validated twice: as the bootstrap that will be started, and as one
static configuration into which every discovered resource has been put where it is used.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import typing as t
from dataclasses import replace

from ..errors import GatewayConfigError
from .files import Changes, DirectorySpec, FileSpec, ensure_directories, write_files

Json = dict[str, t.Any]

# What refers to something comes after it: a route is live only once its cluster is.
_STAGES = ("secret", "cluster", "endpoint", "filter", "route", "listener")
_KINDS = {  # by the type of the first resource in a file
    "Secret": "secret",
    "Cluster": "cluster",
    "ClusterLoadAssignment": "endpoint",
    "TypedExtensionConfig": "filter",
    "RouteConfiguration": "route",
    "Listener": "listener",
}
# Envoy reads a renamed file within a few milliseconds; every watch has its own queue, so order between files is
# only certain after a pause.
_SETTLE_SECONDS = 0.1
_VALIDATE_TIMEOUT_SECONDS = 60.0
_CRITICAL = re.compile(r"\]\[critical\]\[\w+\] \[[^\]]*\] (?P<sentence>.*)", re.DOTALL)
_PREFIX = re.compile(r"error initializing configuration '[^']*': ")


def activate(
    binary: str,
    directory: str,
    bootstrap: Json,
    resources: t.Mapping[str, Json],
    *,
    owner: str | None = None,
    check: bool = False,
) -> Changes:
    """Make a configuration live, or leave everything as it is when Envoy would refuse it.

    Args:
        binary: Path of the Envoy executable. In check mode it may be missing: then nothing is validated.
        directory: The tier's directory, absolute; `bootstrap.json` and `xds/` lie in it.
        bootstrap: Content of bootstrap.json. It refers to `<directory>/xds/<file>`.
        resources: Content of each xDS file by file name: a discovery response (`{"resources": [...]}`).
        owner: User who owns the files, which are 0640, and directories that are missing, 0750: the tier's own when
            installed by root, else nobody in particular.
        check: Validate and report only.

    Returns:
        The changed files and their diff, xDS files that are no longer wanted included.

    Raises:
        GatewayConfigError: With Envoy's own sentence, when it refuses the candidate; nothing was replaced.
    """
    wanted = _file_specs(directory, bootstrap, resources, owner)
    endpoints = _endpoint_files(resources, owner)
    stale = [(os.path.join(directory, "xds"), "*.json")]
    stale += [(path, "*.json") for path in sorted({os.path.dirname(one.path) for one in endpoints})]
    changes = write_files([*wanted, *endpoints], stale, check=True)
    if not changes.changed:
        return changes
    if os.path.exists(binary) or not check:
        _validate(binary, directory, bootstrap, resources)
    if not check:
        _replace(directory, endpoints, wanted, owner)
        write_files([*wanted, *endpoints], stale)
    return changes


def static_twin(bootstrap: Json, resources: t.Mapping[str, Json]) -> Json:
    """The same configuration with every discovered resource inlined, so that validation reads all of it.

    Raises:
        GatewayConfigError: A reference names a resource that no file holds.
    """
    found = _by_kind(resources)
    twin = {key: value for key, value in bootstrap.items() if key != "dynamic_resources"}
    static = dict(twin.get("static_resources", {}))
    for kind, key in (("listener", "listeners"), ("cluster", "clusters"), ("secret", "secrets")):
        static[key] = [*static.get(key, []), *found[kind].values()]
    twin["static_resources"] = static
    return t.cast("Json", _inline(copy.deepcopy(twin), found))


def _by_kind(resources: t.Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """Resources by kind and name, without their @type."""
    found: dict[str, dict[str, Json]] = {kind: {} for kind in _STAGES}
    for content in resources.values():
        for resource in content.get("resources", []):
            kind = _KINDS.get(str(resource.get("@type", "")).rsplit(".", 1)[-1])
            if kind is not None:
                body = {key: value for key, value in resource.items() if key != "@type"}
                name = body.get("cluster_name") if kind == "endpoint" else body.get("name")
                found[kind][str(name)] = body
    return found


def _inline(node: t.Any, found: dict[str, dict[str, Json]]) -> t.Any:
    """Replace references to discovered resources by the resources, from the leaves up."""
    if isinstance(node, list):
        return [_inline(item, found) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _inline(value, found) for key, value in node.items()}
    if isinstance(node.get("rds"), dict):
        name = node.pop("rds").get("route_config_name")
        node["route_config"] = _inline(_named(found, "route", name), found)
    if isinstance(node.get("config_discovery"), dict) and "name" in node:
        node.pop("config_discovery")
        extension = _named(found, "filter", node["name"])
        node["typed_config"] = _inline(extension["typed_config"], found)
    if node.get("type") == "EDS" and "eds_cluster_config" in node:
        # Endpoints that another step writes are not here; the cluster is judged without any.
        name = node.pop("eds_cluster_config").get("service_name") or node["name"]
        assignment = found["endpoint"].get(name, {"cluster_name": name})
        node |= {"type": "STATIC", "load_assignment": assignment}
    if "sds_config" in node and node.get("name") in found["secret"]:
        node.pop("sds_config")  # a name alone means a static secret
    return node


def _named(found: dict[str, dict[str, Json]], kind: str, name: object) -> Json:
    try:
        return found[kind][str(name)]
    except KeyError:
        raise GatewayConfigError(
            f"the Envoy configuration refers to {kind} {name!r}, which no file defines"
        ) from None


def _file_specs(
    directory: str, bootstrap: Json, resources: t.Mapping[str, Json], owner: str | None
) -> list[FileSpec]:
    """bootstrap.json and the xDS files, in the order in which they go live."""

    def spec(path: str, content: Json) -> FileSpec:
        secret = _stage(content) == _STAGES.index("secret")
        return FileSpec(path, _text(content), 0o640, owner, secret=secret)

    xds = [
        spec(os.path.join(directory, "xds", name), resources[name])
        for name in sorted(resources, key=lambda name: (_stage(resources[name]), name))
    ]
    return [spec(os.path.join(directory, "bootstrap.json"), bootstrap), *xds]


def _endpoint_files(resources: t.Mapping[str, Json], owner: str | None) -> list[FileSpec]:
    """The endpoint files that clusters watch and another step writes: as they are, or empty until then.

    Envoy refuses a cluster whose file does not exist; without endpoints it answers 503 instead.
    """
    specs = []
    for cluster in _by_kind(resources)["cluster"].values():
        source = cluster.get("eds_cluster_config", {}).get("eds_config", {})
        path = source.get("path_config_source", {}).get("path")
        if cluster.get("type") == "EDS" and path and os.path.basename(path) not in resources:
            try:
                with open(path, encoding="utf-8") as file:
                    content = file.read()
            except (FileNotFoundError, UnicodeDecodeError):
                content = _text(_no_endpoints(cluster))
            specs.append(FileSpec(path, content, 0o640, owner))
    return specs


def _no_endpoints(cluster: Json) -> Json:
    name = cluster["eds_cluster_config"].get("service_name") or cluster["name"]
    kind = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
    return {"resources": [{"@type": kind, "cluster_name": name}]}


def _stage(content: Json) -> int:
    """Place of a file in the order of activation; one without known resources goes before the listeners."""
    for resource in content.get("resources", []):
        kind = _KINDS.get(str(resource.get("@type", "")).rsplit(".", 1)[-1])
        if kind is not None:
            return _STAGES.index(kind)
    return _STAGES.index("route")


def _text(content: Json) -> str:
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _validate(
    binary: str,
    directory: str,
    bootstrap: Json,
    resources: t.Mapping[str, Json],
) -> None:
    """Write the candidate into a private temporary directory and let Envoy judge it."""
    candidate = tempfile.mkdtemp(prefix="envoy-candidate-")
    try:
        judged = {"bootstrap.json": bootstrap, "static.json": static_twin(bootstrap, resources)}
        files = {os.path.join("xds", name): content for name, content in resources.items()}
        os.mkdir(os.path.join(candidate, "xds"))
        for name, content in {**files, **judged}.items():
            moved = _moved(content, os.path.join(directory, "xds"), os.path.join(candidate, "xds"))
            with open(os.path.join(candidate, name), "w", encoding="utf-8") as file:
                file.write(_text(moved))
        for name in judged:
            _run_validation(binary, os.path.join(candidate, name), directory)
    finally:
        shutil.rmtree(candidate, ignore_errors=True)


def _moved(node: t.Any, old: str, new: str) -> t.Any:
    """The same JSON with paths in directory `old` pointing into `new`."""
    if isinstance(node, dict):
        return {key: _moved(value, old, new) for key, value in node.items()}
    if isinstance(node, list):
        return [_moved(item, old, new) for item in node]
    if isinstance(node, str) and (node == old or node.startswith(old + "/")):
        return new + node[len(old) :]
    return node


def _run_validation(binary: str, path: str, directory: str) -> None:
    command = [binary, "--mode", "validate", "--log-level", "critical", "-c", path]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_VALIDATE_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GatewayConfigError(f"Envoy cannot be run to validate {directory}: {error}") from error
    if done.returncode != 0:
        raise GatewayConfigError(
            f"Envoy refuses the new configuration of {directory}: {_sentence(done.stderr)}",
            hint="Nothing was replaced; the configuration that is live goes on working.",
        )


def _sentence(stderr: str) -> str:
    """Envoy's own reason, without time, thread and the candidate's path."""
    match = _CRITICAL.search(stderr)
    text = match["sentence"] if match else stderr
    return " ".join(_PREFIX.sub("", text, count=1).split()) or "no reason given"


def _replace(
    directory: str, endpoints: t.Sequence[FileSpec], wanted: t.Sequence[FileSpec], owner: str | None
) -> None:
    """Replace the live files stage by stage; clusters that go are taken away last."""
    xds = os.path.join(directory, "xds")
    parents = {directory, xds, *(os.path.dirname(one.path) for one in endpoints)}
    missing = [path for path in parents if not os.path.isdir(path)]
    ensure_directories([DirectorySpec(path, 0o750, owner) for path in missing])
    write_files(endpoints)
    by_stage: dict[int, list[FileSpec]] = {}
    for spec in wanted[1:]:
        by_stage.setdefault(_stage(json.loads(spec.content)), []).append(spec)
    fresh = not any(name.endswith(".json") for name in os.listdir(xds))
    write_files(wanted[:1])
    finals: list[FileSpec] = []
    for stage in sorted(by_stage):
        specs = by_stage[stage]
        if _STAGES[stage] == "cluster" and not fresh:
            finals, specs = specs, [_with_old_clusters(spec) for spec in specs]
        if write_files(specs).changed and not fresh:
            time.sleep(_SETTLE_SECONDS)
    write_files(finals)


def _with_old_clusters(spec: FileSpec) -> FileSpec:
    """The new clusters and, until no route points at them any more, those of the live file that go."""
    try:
        with open(spec.path, encoding="utf-8") as file:
            old = json.load(file)["resources"]
    except (OSError, ValueError, KeyError):
        return spec
    new = json.loads(spec.content)
    names = {resource.get("name") for resource in new["resources"]}
    new["resources"] += [resource for resource in old if resource.get("name") not in names]
    return replace(spec, content=_text(new))
