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
from pathlib import Path
from shutil import copytree

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS
from ansible_collections.inferencebox.platform.plugins.module_utils.host.files import replace_file

from ..programs import building
from ..programs.modules import Module
from .errors import BundleError

_FILE = re.compile(r"(?P<name>.+?)-(?P<version>v?[0-9].*)\.tgz")
_COMPONENTS = TRAINS[max(TRAINS)].components

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

# Name of a chart: its module, and its folder there.
CHARTS: Mapping[str, tuple[Module, str]] = {
    "cert-manager": (CERT_MANAGER, "deploy/charts/cert-manager"),
    "base": (ISTIO, "manifests/charts/base"),
    "cni": (ISTIO, "manifests/charts/istio-cni"),
    "istiod": (ISTIO, "manifests/charts/istio-control/istio-discovery"),
    "gateway": (ISTIO, "manifests/charts/gateway"),
    **{
        name: (KSERVE, f"charts/{name}")
        for name in ("kserve-crd", "kserve-resources", "kserve-runtime-configs")
    },
}
# Folder of a bundle's manifests, without the version: its module, and the files that a release puts into one.
MANIFESTS: Mapping[str, tuple[Module, str]] = {
    "gateway-api": (GATEWAY_API, "config/crd/standard/gateway.*.yaml"),
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
    name = Path(directory).name.rpartition("-")[0]
    if name not in MANIFESTS:
        raise BundleError(f"no Go module has {file} of {name}")
    module, pattern = MANIFESTS[name]
    texts = [each.read_text(encoding="utf-8") for each in sorted(_directory(module).glob(pattern))]
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(str(path), "\n---\n".join(texts).encode(), 0o644)
    return True


def package(
    chart: Path, version: str, folder: Path, placeholders: Mapping[str, str] | None = None
) -> None:
    """Pack a chart as its project's release does.

    Args:
        chart: Its directory.
        version: Its version, and that of what it installs.
        folder: Where the file goes.
        placeholders: What the release fills into its settings.

    Raises:
        BundleError: Helm cannot be built, or refuses it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as stage:
        # Modules lie there read-only.
        copy = Path(copytree(chart, Path(stage) / chart.name, copy_function=_copy))
        for template in copy.rglob("values.tmpl.yaml"):
            text = template.read_text(encoding="utf-8")
            for placeholder, value in (placeholders or {}).items():
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


def _directory(module: Module) -> Path:
    try:
        return module.directory()
    except (OSError, RuntimeError) as error:
        raise BundleError(f"{module} cannot be had: {error}") from error


def _copy(source: str, target: str) -> None:
    Path(target).write_bytes(Path(source).read_bytes())
