# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Upstream's programs, built from its Go modules and kept between runs.

`tools/*/go.mod` say what is built, in which version, and with which dependencies; the checksums beside them are
verified by Go. A folder that names no tools is a small program of its own, of the folder's name. A build is kept in the
user's cache under a digest of these files, so that a second run takes no time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS
from filelock import FileLock

TOOLS = Path(__file__).with_name("tools")
_SHOWN_LINES = 20
# Without -buildvcs=false, the commit of this checkout would be in programs that are the same.
_FLAGS = ("-trimpath", "-mod=readonly", "-buildvcs=false")
# Where Kubernetes' own build scripts put the release's version; without it, it calls itself v0.0.0.
_STAMPED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_STAMPS = {"gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z"}
# The same of Istio, whose module's own version is a commit.
_ISTIO_STAMPED = "istio.io/istio/pkg/version"
# The same of Prometheus and its operator, whose tools bear the names of their components.
_PROMETHEUS = ("alertmanager", "kube-state-metrics", "prometheus", "prometheus-operator")
_PROMETHEUS_STAMPED = "github.com/prometheus/common/version.Version"
# Prometheus finds targets by clouds' own means, too: megabytes of their libraries, and minutes, for nothing here.
# https://github.com/prometheus/prometheus, plugins
_TAGS = {"prometheus": ("remove_all_sd", "enable_kubernetes_sd")}
# Alertmanager's module lacks its web pages, which its own build makes, and does not compile without any.
# By tool: the module, and the file that stands for them.
_PAGES = {"alertmanager": ("github.com/prometheus/alertmanager", "ui/app/dist/index.html")}
_NO_PAGES = "<!doctype html><title>Alertmanager</title><p>It was built without its web pages.</p>\n"


class BuildError(RuntimeError):
    """A program cannot be built on this machine; the text says why and what to do."""


def cache_directory() -> Path:
    """Where builds are kept: XDG_CACHE_HOME or ~/.cache, in a folder of ours."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "inferencebox"


def directory(tool: str, tools: Path = TOOLS) -> Path:
    """Build the programs of one module, or find them built.

    Args:
        tool: Name of a folder in `tools`.
        tools: The folder of such folders.

    Returns:
        The directory that holds the programs.

    Raises:
        BuildError: Go is missing, too old, or its build fails.
    """
    module = tools / tool
    built = cache_directory() / "programs" / f"{tool}-{_digest(module)}"
    built.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{built}.lock"):
        if not built.is_dir():
            _build(module, built)
    return built


def _digest(module: Path) -> str:
    digest = hashlib.sha256(repr((_flags(module), _linker_flags(module))).encode())
    for path in sorted(module.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _build(module: Path, built: Path) -> None:
    if not shutil.which("go"):
        raise BuildError(
            f"Go is not installed, and {module.name} is built with it: install Go "
            f"{_wanted_go(module)} or newer."
        )
    facts = json.loads(_go(module, "mod", "edit", "-json"))
    packages = {_program(row["Path"]): row["Path"] for row in facts["Tool"] or ()}
    packages = packages or {module.name: "."}
    print(f"building {', '.join(packages)}", file=sys.stderr, flush=True)
    unfinished = built.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    flags = [*_flags(module), f"-ldflags={_linker_flags(module)}"]
    copied = built.with_suffix(".sources")
    sources = _with_pages(module, copied) if module.name in _PAGES else module
    for name, path in packages.items():
        _go(sources, "build", *flags, "-o", str(unfinished / name), path)
    unfinished.rename(built)
    shutil.rmtree(copied, ignore_errors=True)


def _with_pages(module: Path, folder: Path) -> Path:
    """Copy a module that has no web pages and give it some; Go has compared its checksum, and replaces no file of it.

    Returns:
        The folder, a copy of the tool in which that copy is used; named as it lies there, so that programs do not tell
        where they were built.
    """
    name, page = _PAGES[module.name]
    shutil.rmtree(folder, ignore_errors=True)
    found = json.loads(_go(module, "mod", "download", "-json", name))
    shutil.copytree(found["Dir"], folder / "module", copy_function=shutil.copyfile)
    for each in (folder / "module").rglob("*"):
        each.chmod(0o755 if each.is_dir() else 0o644)
    (folder / "module" / page).parent.mkdir(parents=True)
    (folder / "module" / page).write_text(_NO_PAGES, encoding="utf-8")
    for file in ("go.mod", "go.sum"):
        shutil.copyfile(module / file, folder / file)
    _go(folder, "mod", "edit", f"-replace={name}=./module")
    return folder


def _flags(module: Path) -> tuple[str, ...]:
    tags = _TAGS.get(module.name)
    return (*_FLAGS, f"-tags={','.join(tags)}") if tags else _FLAGS


# Of programs that are called `controller` or `webhook`, and lie beside those of other projects.
_PREFIXES = {
    "github.com/envoyproxy/ai-gateway/": "ai-gateway-",
    "knative.dev/serving/": "knative-",
    "github.com/kedacore/keda/": "keda-",
    "github.com/prometheus-operator/": "prometheus-",
}


# Of packages that are not called what their program is: `server/v3`, `service_cmd`.
_NAMES = {
    "go.etcd.io/etcd/": "etcd",
    "github.com/envoyproxy/ratelimit/": "ratelimit",
    "k8s.io/kube-state-metrics/": "kube-state-metrics",
}


def _program(package: str) -> str:
    """Name a program after its package, or after its project."""
    if name := next((one for begin, one in _NAMES.items() if package.startswith(begin)), ""):
        return name
    prefix = next((one for begin, one in _PREFIXES.items() if package.startswith(begin)), "")
    return prefix + package.rpartition("/")[2].removeprefix(prefix)


def _linker_flags(module: Path) -> str:
    """Smaller files, and the release's version."""
    flags = ["-s", "-w"]
    text = (module / "go.mod").read_text()
    if found := re.search(r"^\s*k8s.io/kubernetes (v(\d+)\.(\d+)\.\S+)", text, re.MULTILINE):
        release = {"gitVersion": found[1], "gitMajor": found[2], "gitMinor": found[3]}
        stamps = {**release, **_STAMPS}
        for package in _STAMPED:
            flags += [f"-X {package}.{name}={value}" for name, value in stamps.items()]
    if re.search(r"^\s*istio.io/istio v", text, re.MULTILINE):
        version = TRAINS[max(TRAINS)].components["istio"].version
        stamps = {"buildVersion": version, "buildTag": version, "buildStatus": "Clean"}
        flags += [f"-X {_ISTIO_STAMPED}.{name}={value}" for name, value in stamps.items()]
    if module.name in _PROMETHEUS:
        version = TRAINS[max(TRAINS)].components[module.name].version.removeprefix("v")
        flags.append(f"-X {_PROMETHEUS_STAMPED}={version}")
    return " ".join(flags)


def _wanted_go(module: Path) -> str:
    found = re.search(r"^go (\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    return found[1] if found else ""


def _go(module: Path, *arguments: str) -> str:
    """Run one Go command in a tool's module; static programs, so that no C compiler is needed."""
    # As nice as it gets: a build must not starve what else runs on the machine.
    done = subprocess.run(
        ["nice", "-n", "19", "go", *arguments],
        cwd=module,
        # `auto`: a Go that is older than a module asks for fetches the one that it names.
        env={"GOTOOLCHAIN": "auto", **os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-_SHOWN_LINES:])
        raise BuildError(f"`go {arguments[0]}` in {module} failed:\n{said}")
    return done.stdout
