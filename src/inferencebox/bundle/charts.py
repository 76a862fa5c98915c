# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Charts and definitions where no registry can be reached, made of Go modules.

Modules carry them as their projects keep them in source. What a project's release does to its charts is done here:
fill in the version, and placeholders.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import (
    TRAINS,
    train,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.files import replace_file

from ..programs import building
from ..programs.modules import Module, Package
from .errors import BundleError

_FILE = re.compile(r"(?P<name>.+?)-(?P<version>v?[0-9].*)\.tgz")
# A component and its version, which may begin with the project's name once more.
_FOLDER = re.compile(r"(?P<name>.+?)-(knative-)?v?[0-9].*")
_COMPONENTS = train(max(TRAINS), "built").components

CERT_MANAGER = Module(
    "github.com/cert-manager/cert-manager",
    _COMPONENTS["cert-manager"].version,
    "h1:0LttV37Q5c2CBNoHkjuI8sLKTXWZDC2SwQkxrBMKV9w=",
)
GATEWAY_API = Module(
    "sigs.k8s.io/gateway-api",
    _COMPONENTS["gateway-api"].version,
    "h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=",
)
ENVOY_GATEWAY = Module(
    "github.com/envoyproxy/gateway",
    _COMPONENTS["envoy-gateway"].version,
    "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
)
AI_GATEWAY = Module(
    "github.com/envoyproxy/ai-gateway",
    _COMPONENTS["ai-gateway"].version,
    "h1:cTdSnQmtQQ2Ea5T/LLK50pIthG2SJAOxU9XPXZbtDkU=",
)
ISTIO = Module(
    "istio.io/istio",
    # Of this commit the release was made; the module proxy has no tag of it.
    "v0.0.0-20260827124520-eed52ebb66ad",
    "h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI=",
)
KSERVE = Module(
    "github.com/kserve/kserve",
    _COMPONENTS["kserve"].version,
    "h1:Bs7HxmGV4KFqqptDcWseKv+mwD4YOYHJWcuVgPG2Gug=",
)

KEDA = Module(
    "github.com/kedacore/keda/v2",
    f"v{_COMPONENTS['keda'].version}",
    "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
)
PROMETHEUS_OPERATOR = Module(
    "github.com/prometheus-operator/prometheus-operator",
    _COMPONENTS["prometheus-operator"].version,
    "h1:AohlYJT+En8TmNpAcEUJ3GsaJTAqfEBwHmGTVpRm/Io=",
)
# Not as modules by their versions: of one, the module proxy has what a build needs, and not what names it.
KNATIVE = Package("knative", "knative.dev/serving/config/core")
KNATIVE_NETWORKING = Package("knative", "knative.dev/networking/config")
KNATIVE_CACHING = Package("knative", "knative.dev/caching/config")

# Name of a chart: its module, and its folder there.
CHARTS: Mapping[str, tuple[Module, str]] = {
    "cert-manager": (CERT_MANAGER, "deploy/charts/cert-manager"),
    "base": (ISTIO, "manifests/charts/base"),
    "cni": (ISTIO, "manifests/charts/istio-cni"),
    "istiod": (ISTIO, "manifests/charts/istio-control/istio-discovery"),
    "gateway": (ISTIO, "manifests/charts/gateway"),
    **{name: (ENVOY_GATEWAY, f"charts/{name}") for name in ("gateway-crds-helm", "gateway-helm")},
    **{
        name: (AI_GATEWAY, f"manifests/charts/{name}")
        for name in ("ai-gateway-crds-helm", "ai-gateway-helm")
    },
    **{
        name: (KSERVE, f"charts/{name}")
        for name in ("kserve-crd", "kserve-resources", "kserve-runtime-configs")
    },
}


# What releases fill into settings of charts.
PLACEHOLDERS: Mapping[str, str] = {
    "${GatewayImage}": f"docker.io/envoyproxy/gateway:{ENVOY_GATEWAY.version}",
    "${GatewayImagePullPolicy}": "IfNotPresent",
}


@dataclass(frozen=True)
class Manifest:
    """What a release puts into one file.

    Attributes:
        files: Modules or packages of them, and globs of files in each.
        changes: What the release fills in: regular expressions, and what replaces what they match.
    """

    files: tuple[tuple[Module | Package, str], ...]
    changes: tuple[tuple[str, str], ...] = ()


_KNATIVE_NUMBER = _COMPONENTS["knative-serving"].version.removeprefix("knative-v")
_KNATIVE_RELEASE = (
    (r"ko://(\S+)", rf"gcr.io/knative-releases/\1:v{_KNATIVE_NUMBER}"),
    (r"(app\.kubernetes\.io/version): devel", rf'\1: "{_KNATIVE_NUMBER}"'),
)

_KEDA_VERSION = _COMPONENTS["keda"].version

# Folder of a bundle's manifests, without the version, and file in it: of what a release makes it.
MANIFESTS: Mapping[str, Manifest] = {
    "gateway-api/standard-install.yaml": Manifest(
        ((GATEWAY_API, "config/crd/standard/gateway.*.yaml"),)
    ),
    f"keda/keda-{_KEDA_VERSION}-core.yaml": Manifest(
        tuple(
            (KEDA, f"config/{name}.yaml")
            for name in (
                "crd/bases/*",
                "general/namespace",
                "service_account/service_account",
                "rbac/role*",
                "manager/manager",
                "manager/service",
                "metrics-server/role*",
                "metrics-server/deployment",
                "metrics-server/service",
                "metrics-server/api_service",
            )
        ),
        (
            (r"(ghcr\.io/kedacore/[a-z-]+):latest", rf"\1:{_KEDA_VERSION}"),
            (r"(app\.kubernetes\.io/version): latest", rf"\1: {_KEDA_VERSION}"),
        ),
    ),
    "prometheus-operator/stripped-down-crds.yaml": Manifest(
        ((PROMETHEUS_OPERATOR, "example/prometheus-operator-crd/*.yaml"),)
    ),
    "knative-serving/serving-crds.yaml": Manifest(
        (
            (KNATIVE, "300-resources/*.yaml"),
            *(
                (KNATIVE_NETWORKING, f"{name}.yaml")
                for name in ("certificate", "domain-claim", "ingress", "serverlessservice")
            ),
            (KNATIVE_CACHING, "image.yaml"),
        ),
        _KNATIVE_RELEASE,
    ),
    "knative-serving/serving-core.yaml": Manifest(
        (
            (KNATIVE, "*.yaml"),
            *(
                (KNATIVE, f"{folder}/*.yaml")
                for folder in ("200-roles", "configmaps", "deployments", "webhooks")
            ),
            (KNATIVE_NETWORKING, "config-network.yaml"),
        ),
        _KNATIVE_RELEASE,
    ),
}


def make_chart(bundle: Path, file: str) -> bool:
    """Put a chart into a bundle, unless it is there.

    Args:
        bundle: The directory.
        file: Name of the chart's file: name, version and ``.tgz``.

    Returns:
        Whether it is new.

    Raises:
        BundleError: No module has this chart, or it cannot be packed.
    """
    folder = bundle / "charts"
    if (folder / file).is_file():
        return False
    found = _FILE.fullmatch(file)
    if found is None or found["name"] not in CHARTS:
        raise BundleError(
            f"no Go module has the chart {file}: use platform_images.source published, or name its "
            "component in platform_cluster.provided"
        )
    module, place = CHARTS[found["name"]]
    package(_directory(module) / place, found["version"], folder)
    return True


def make_manifest(bundle: Path, directory: str, file: str) -> bool:
    """Put the definitions of a component into a bundle, unless they are there.

    Args:
        bundle: The directory.
        directory: Their directory in it.
        file: The name that they have in a release.

    Returns:
        Whether they are new.

    Raises:
        BundleError: No module has them.
    """
    path = bundle / directory / file
    if path.is_file():
        return False
    found = _FOLDER.fullmatch(Path(directory).name)
    name = found["name"] if found else directory
    if (made := MANIFESTS.get(f"{name}/{file}")) is None:
        raise BundleError(f"no Go module has {file} of {name}")
    text = "\n---\n".join(
        each.read_text(encoding="utf-8")
        for module, pattern in made.files
        for each in sorted(_directory(module).glob(pattern))
    )
    for pattern, replacement in made.changes:
        text = re.sub(pattern, replacement, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(str(path), text.encode(), 0o644)
    return True


def package(chart: Path, version: str, folder: Path) -> None:
    """Pack a chart as its project's release does.

    Args:
        chart: Its directory.
        version: Its version, and that of what it installs.
        folder: Where the file goes.

    Raises:
        BundleError: Helm cannot be built, or refuses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as stage:
        # Modules lie there read-only.
        copy = Path(copytree(chart, Path(stage) / chart.name, copy_function=_copy))
        for template in copy.rglob("values.tmpl.yaml"):
            text = template.read_text(encoding="utf-8")
            for placeholder, value in PLACEHOLDERS.items():
                text = text.replace(placeholder, value)
            template.with_name("values.yaml").write_text(text, encoding="utf-8")
        try:
            helm = building.directory("helm") / "helm"
        except building.BuildError as error:
            raise BundleError(str(error)) from error
        words = ["package", "--version", version, "--app-version", version, "--destination", stage]
        done = subprocess.run(
            [str(helm), *words, str(copy)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BundleError(f"{chart.name}: {done.stderr.strip()}")
        for packed in Path(stage).glob("*.tgz"):
            packed.rename(folder / packed.name)


def _directory(module: Module | Package) -> Path:
    try:
        return module.directory()
    except (OSError, RuntimeError) as error:
        raise BundleError(f"{module} cannot be had: {error}") from error


def _copy(source: str, target: str) -> None:
    Path(target).write_bytes(Path(source).read_bytes())
