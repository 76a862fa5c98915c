# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Upstream's CustomResourceDefinitions, read where Go keeps its modules; none of them is copied.

Definitions in the directories that IB_EXTRA_CRDS names take the place of those of the same name: of another release, say.
"""

from __future__ import annotations

import os
import typing as t
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS, train
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.synchronising import (
    Request,
    synchronise,
)

from inferencebox.programs.modules import Module

EXTRA_VARIABLE = "IB_EXTRA_CRDS"
Definition = dict[str, t.Any]
_KIND = "CustomResourceDefinition"
_TRIES = 4


@dataclass(frozen=True)
class Source:
    """A Go module whose files hold definitions.

    Attributes:
        component: The component of the release train that they belong to.
        module: Path of the module.
        digest: What Go computes over its content; another content is refused.
        files: Files in it, as globs.
    """

    component: str
    module: str
    digest: str
    files: tuple[str, ...]

    def directory(self) -> Path:
        """Find the module's files."""
        return Module(self.module, _module_version(self.component), self.digest).directory()


SOURCES = (
    Source(
        "gateway-api",
        "sigs.k8s.io/gateway-api",
        "h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=",
        ("config/crd/standard/gateway.*.yaml",),
    ),
    Source(
        "gateway-api-inference-extension",
        "sigs.k8s.io/gateway-api-inference-extension",
        "h1:w9Awt60cmI1vM7Y6N81h8wDCBP0WkmxpdI7GKY0v070=",
        ("config/crd/bases/*_inferencepools.yaml",),
    ),
    Source(
        "envoy-gateway",
        "github.com/envoyproxy/gateway",
        "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
        ("charts/gateway-helm/charts/crds/crds/generated/*.yaml",),
    ),
    Source(
        "ai-gateway",
        "github.com/envoyproxy/ai-gateway",
        "h1:cTdSnQmtQQ2Ea5T/LLK50pIthG2SJAOxU9XPXZbtDkU=",
        ("manifests/charts/ai-gateway-crds-helm/templates/*.yaml",),
        # What it lacks is in _LATER.
    ),
    Source(
        "istio",
        "istio.io/api",
        "h1:qGf/hZwCu5LOPK0jGti38NF71E8Eq4jGyhz/l2xsszU=",
        ("kubernetes/customresourcedefinitions.gen.yaml",),
    ),
    Source(
        "kserve",
        "github.com/kserve/kserve",
        "h1:Bs7HxmGV4KFqqptDcWseKv+mwD4YOYHJWcuVgPG2Gug=",
        ("config/crd/full/serving.*.yaml", "config/crd/full/*/serving.*.yaml"),
    ),
    Source(
        "cert-manager",
        "github.com/cert-manager/cert-manager",
        "h1:0LttV37Q5c2CBNoHkjuI8sLKTXWZDC2SwQkxrBMKV9w=",
        ("deploy/crds/cert-manager.io_*.yaml",),
    ),
    Source(
        "keda",
        "github.com/kedacore/keda/v2",
        "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
        ("config/crd/bases/keda.sh_*.yaml",),
    ),
    Source(
        "prometheus-operator",
        "github.com/prometheus-operator/prometheus-operator",
        "h1:AohlYJT+En8TmNpAcEUJ3GsaJTAqfEBwHmGTVpRm/Io=",
        ("example/prometheus-operator-crd/*.yaml",),
    ),
)

# By definition: what a rule of it may say since a release that no module has, and the platform's objects do say.
# https://github.com/envoyproxy/ai-gateway, api/v1beta1/ai_gateway_route.go
_LATER: t.Mapping[str, t.Mapping[str, t.Any]] = {
    "aigatewayroutes.aigateway.envoyproxy.io": {
        "name": {"type": "string", "minLength": 1, "maxLength": 253},
        "streamIdleTimeout": {"type": "string", "pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$"},
    }
}


class _Loader(yaml.CSafeLoader):
    """Reads the bare ``=`` that one definition lists among its values, as text."""


def _text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:value", _text)


def upstream(without: Container[str] = ()) -> list[Definition]:
    """Read the definitions of every source, downloading what Go does not have yet, and those of IB_EXTRA_CRDS.

    Args:
        without: Components whose definitions come otherwise, with their chart say.

    Raises:
        RuntimeError: A module cannot be had, or is not the one that was looked at.
    """
    return of(*(source.component for source in SOURCES if source.component not in without))


def of(*components: str) -> list[Definition]:
    """Read the definitions of some components, and those of IB_EXTRA_CRDS.

    Raises:
        RuntimeError: A module cannot be had, or is not the one that was looked at.
    """
    sources = [source for source in SOURCES if source.component in components]
    assert len(sources) == len(components), components
    found = [one for source in sources for one in _read(source.directory(), source.files)]
    directories = os.environ.get(EXTRA_VARIABLE, "").split(os.pathsep)
    given = [one for each in directories if each for one in _read(Path(each), ("**/*.yaml",))]
    by_name = {one["metadata"]["name"]: one for one in [*map(_completed, found), *given]}
    return list(by_name.values())


def _completed(definition: Definition) -> Definition:
    """Add what later releases have; the file is read anew each time, so nobody else sees the change."""
    if fields := _LATER.get(definition["metadata"]["name"]):
        for version in definition["spec"]["versions"]:
            spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
            spec["properties"]["rules"]["items"]["properties"] |= fields
    return definition


def install(kubeconfig: str, without: Container[str] = ()) -> None:
    """Apply all definitions to a cluster.

    Args:
        kubeconfig: An administrator's.
        without: Components whose definitions come otherwise.

    Raises:
        RuntimeError: The server does not take them.
    """
    request = Request(upstream(without), "definitions", kubeconfig=kubeconfig)
    for _ in range(_TRIES):
        report = synchronise(request)
        # The largest take a busy machine longer than the server waits; what it has, it does not get again.
        if not report.problem:
            return
    raise RuntimeError(report.problem)


def _module_version(component: str) -> str:
    """The component's version as Go writes versions."""
    version = train(max(TRAINS), "built").components[component].version
    return version if version.startswith("v") else f"v{version}"


def _read(directory: Path, patterns: tuple[str, ...]) -> Iterator[Definition]:
    for pattern in patterns:
        files = sorted(directory.glob(pattern))
        if not files:
            raise RuntimeError(f"{directory} has no files {pattern}")
        for file in files:
            documents = yaml.load_all(file.read_bytes(), _Loader)
            yield from (one for one in documents if (one or {}).get("kind") == _KIND)
