# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a platform needs installed in its cluster before its own objects mean anything there.

Which components, in which order, with which settings: pure data for Helm and for the apply module. Versions and
addresses come from the release train, settings from what the platform's own objects rely on. With a bundle, the same
files come from a directory.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..catalogue import Chart, Component, train
from ..inventory import NAMESPACES, Platform
from . import component_values as values
from . import images, keda, knative, naming, prometheus, traces
from .objects import Object
from .system import restricted_pods

# In which role a component is installed; of two layers, the first holds what the second refers to.
LAYERS: Mapping[str, tuple[str, ...]] = {
    "definitions": ("gateway-api", "cert-manager", "istio/base"),
    "mesh": ("istio/cni", "istio/istiod"),
    "tier2": ("istio/tier2",),
    "limits": ("valkey", "redis"),
    "gateway": ("envoy-gateway", "ai-gateway"),
    "monitoring": ("kube-prometheus-stack", "prometheus-operator", "jaeger"),
    "collector": ("opentelemetry-collector",),
    "serving": ("istio/gateway", "knative-serving", "net-istio", "keda", "kserve"),
}

_TIER2_CHART = "gateway"


@dataclass(frozen=True)
class Release:
    """One Helm release.

    Attributes:
        component: The component of the train that it belongs to.
        name: Name of the release.
        namespace: Where it is installed.
        chart: OCI address, path in the bundle, or the chart's name in `repository`.
        repository: URL of the chart's repository; empty for the other two.
        version: Version of the chart.
        values: Its settings.
        storable: Whether Helm keeps it; else its objects are applied.
    """

    component: str
    name: str
    namespace: str
    chart: str
    repository: str
    version: str
    values: Object = field(default_factory=dict)
    storable: bool = True


@dataclass(frozen=True)
class Manifests:
    """Files of objects that are applied as they are, and what is laid over them.

    Attributes:
        component: The component of the train that they belong to.
        files: URLs, or paths in the bundle, in the order of application.
        objects: Objects that stand beside them, or whose fields replace theirs.
        images: Under which names the images that the files name are asked for, where not under their own.
    """

    component: str
    files: tuple[str, ...]
    objects: tuple[Object, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)


def needed(platform: Platform) -> list[str]:
    """Name the components that a platform needs, in the order of their installation."""
    serverless = _knative(platform)
    observed = platform.observability.prometheus != "disabled"
    wanted = {
        "knative-serving": serverless,
        "net-istio": serverless and not knative.has_own_ingress(platform),
        "keda": keda.is_needed(platform),
    }
    wanted |= dict.fromkeys(
        (
            "kube-prometheus-stack",
            "prometheus-operator",
            "prometheus",
            "alertmanager",
            "kube-state-metrics",
        ),
        observed,
    )
    wanted |= dict.fromkeys(("jaeger", "jaeger-collector"), naming.traced(platform))
    wanted["opentelemetry-collector"] = naming.traced(platform) and not traces.is_own(platform)
    # One pod needs neither its controllers nor a store of counters.
    controlled = platform.engine.gateway == "controller"
    wanted |= dict.fromkeys(("envoy-gateway", "valkey", "redis", "ai-gateway"), controlled)
    wanted |= dict.fromkeys(("gateway-api", "cert-manager", "istio", "kserve"), True)
    return [name for name in _possible(platform) if wanted.get(name)]


def _chosen(platform: Platform) -> Mapping[str, Component]:
    return train(platform.train, platform.images.source).components


def _possible(platform: Platform) -> dict[str, Component]:
    """Find the components of the train that there may be on such a cluster, in the order of their installation."""
    found = _chosen(platform)
    replaced = {one.instead_of for one in found.values()}
    if platform.cluster.provider == "node":
        return {name: one for name, one in found.items() if name not in replaced}
    return {name: one for name, one in found.items() if not one.instead_of}


def installed(platform: Platform) -> list[str]:
    """Name the components that the platform installs: needed, and not there already."""
    return [name for name in needed(platform) if name not in platform.cluster.provided]


def layer(platform: Platform, name: str, secret: str = "") -> dict[str, list[dict[str, Any]]]:
    """Describe one layer of components.

    Args:
        platform: The platform.
        name: One of `LAYERS`.
        secret: What secrets inside the cluster are derived from: the same each time, known to nobody else. Nothing
            secret is among the settings of a layer whose caller leaves it out.

    Returns:
        ``rendered`` charts, with their settings also as ``set_values``, and ``manifests``, whose objects are applied
        first, and ``releases``, as plain data in the order of installation.

    Raises:
        KeyError: There is no such layer.
    """
    wanted = installed(platform)
    releases: list[Release] = []
    manifests: list[Manifests] = []
    for place in LAYERS[name]:
        component, _, part = place.partition("/")
        if component in wanted:
            releases += _releases(platform, component, part, secret)
            manifests += _manifests(platform, component, secret)
    return {
        "rendered": [_rendered(one) for one in releases if not one.storable],
        "releases": [asdict(one) for one in releases if one.storable],
        "manifests": [asdict(one) for one in manifests],
    }


def _rendered(release: Release) -> dict[str, Any]:
    """Describe a chart, with its settings as `helm template` takes them on its command line.

    kubernetes.core.helm_template writes others to a file, which it leaves in the temporary directory.
    """
    settings = [
        {"value": f"{key}={json.dumps(value)}", "value_type": "json"}
        for key, value in release.values.items()
    ]
    return {**asdict(release), "set_values": settings}


def releases(platform: Platform) -> list[dict[str, Any]]:
    """Describe all releases of a platform in the order of installation, without secrets among their settings."""
    return [one for name in LAYERS for one in layer(platform, name)["releases"]]


def files(platform: Platform) -> dict[str, list[Any]]:
    """List the files that a bundle must hold, and where each is published.

    Args:
        platform: The platform.

    Returns:
        ``charts`` with chart, repository, version and the file's name, each once; ``manifests`` with url and the
        directory in the bundle; ``images`` with the name under which each is asked for, where it is published, its
        repository and the file's name; and ``paths``, where in the bundle all of them are.
    """
    platform = platform.model_copy(update={"bundle": None})
    charts: dict[str, dict[str, str]] = {}
    manifests = []
    for name in LAYERS:
        found = layer(platform, name)
        for row in found["rendered"] + found["releases"]:
            short = row["chart"].rpartition("/")[2]
            file = f"{short}-{row['version']}.tgz"
            keys = ("chart", "repository", "version")
            charts[file] = {**{key: row[key] for key in keys}, "file": file}
        for row in found["manifests"]:
            version = _chosen(platform)[row["component"]].version
            directory = f"manifests/{row['component']}-{version}"
            manifests += [{"url": url, "directory": directory} for url in row["files"]]
    wanted = images.needed(platform, installed(platform))
    return {
        "charts": list(charts.values()),
        "manifests": manifests,
        "images": [{**asdict(one), "file": one.file} for one in wanted],
        "paths": [
            *(f"charts/{file}" for file in charts),
            *(f"{row['directory']}/{row['url'].rpartition('/')[2]}" for row in manifests),
            *(f"images/{one.file}" for one in wanted),
        ],
    }


def removable(platform: Platform) -> list[dict[str, Any]]:
    """Describe what may have to be removed: every component of the train that is not said to be somebody else's.

    An earlier inventory may have needed one that this does not.

    Returns:
        Rows in the order of removal: name, namespace, groups of definitions, releases (name and namespace, in the
        order of removal) and leftovers (version, kind, namespace and name).
    """
    rows = []
    for name, component in reversed(list(_possible(platform).items())):
        if name in platform.cluster.provided:
            continue
        homes = [
            (chart.release, component.namespace) for chart in component.charts if chart.storable
        ]
        if name == "istio":
            homes.append((naming.TIER2, platform.cluster.namespace))
        rows.append(
            {
                "name": name,
                "namespace": component.namespace,
                "groups": _groups(component),
                "releases": [
                    {"name": release, "namespace": home} for release, home in reversed(homes)
                ],
                "leftovers": [_leftover(text) for text in component.leftovers],
            }
        )
    return rows


def _groups(component: Component) -> list[str]:
    # A group may be followed by the kinds of it that are meant.
    return [group.partition(":")[0] for group in component.crds]


def _leftover(text: str) -> dict[str, str]:
    version, kind, place = text.split(" ")
    namespace, _, name = place.rpartition("/")
    return {"api_version": version, "kind": kind, "namespace": namespace, "name": name}


def demands(platform: Platform) -> dict[str, Any]:
    """Describe what the platform demands of its cluster, for the survey that looks at one.

    Returns:
        Plain data; `cluster.survey.Demands` says what each key means.
    """
    chosen = train(platform.train)
    return {
        "platform": platform.name,
        "train": platform.train,
        "kubernetes": [chosen.kubernetes.lowest, chosen.kubernetes.highest],
        "helm": [chosen.helm.lowest, chosen.helm.highest],
        "architectures": list(chosen.architectures),
        "components": [_demand(platform, name) for name in needed(platform)],
        "namespaces": {
            platform.cluster.namespace: "platform_cluster.namespace",
            **{
                tenant.name: f"tenants[{index}].name"
                for index, tenant in enumerate(platform.tenants)
            },
        },
        "service_type": platform.cluster.service_type,
        "storage_class": platform.cluster.storage_class or "",
        "stores": values.stores(platform)
        and not {"valkey", "redis"}.isdisjoint(installed(platform)),
    }


def _demand(platform: Platform, name: str) -> dict[str, Any]:
    component = _chosen(platform)[name]
    return {
        "name": name,
        "provided": name in platform.cluster.provided,
        "needed_for": _reason(platform, name),
        "groups": _groups(component),
        "namespace": component.namespace,
        "releases": [chart.release for chart in component.charts if chart.storable],
    }


def _reason(platform: Platform, name: str) -> str:
    models = platform.models
    by_component = {
        "knative-serving": [m.name for m in models if m.serving.mode == "knative"],
        "net-istio": [m.name for m in models if m.serving.mode == "knative"],
        "keda": [m.name for m in models if m.serving.scaled_by == "keda"],
        "kserve": [m.name for m in models],
    }
    served = by_component.get(name)
    if served is None:
        return "the platform needs"
    what = {"kserve": "to be served", "keda": "to be scaled"}.get(name, "in mode knative")
    return f"model {', '.join(served)} needs {what}" if served else "models need to be served"


def namespaces(platform: Platform) -> list[Object]:
    """Make the namespaces of the components that the platform installs; one of a provided one is somebody else's."""
    chosen = _chosen(platform)
    found = {
        chosen[name].namespace
        for name in installed(platform)
        # Whose manifests bring it, after which nothing else is in it.
        if not (name == "keda" and _by_manifests(platform, chosen[name]))
    }
    foreign = {chosen[name].namespace for name in platform.cluster.provided}
    return [_namespace(platform, name) for name in sorted(found - foreign - {""})]


def derived(secret: str, purpose: str) -> str:
    """Make a secret for one purpose out of the platform's own.

    Returns:
        64 hexadecimal digits, HMAC-SHA256 (RFC 2104).
    """
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _namespace(platform: Platform, name: str) -> Object:
    extra: dict[str, str] = {}
    if name == NAMESPACES["monitoring"] and platform.cluster.provider == "node":
        extra |= restricted_pods()
    elif name in (NAMESPACES["istio"], NAMESPACES["monitoring"]):
        # Istio's network plugin and Prometheus' exporter work on the node itself.
        extra["pod-security.kubernetes.io/enforce"] = "privileged"
    if name == NAMESPACES["knative"]:
        # Its pods reach models whose sidecars demand mutual TLS.
        extra |= {"istio-injection": "enabled", "app.kubernetes.io/name": "knative-serving"}
    labels = {**naming.labels(platform), **extra}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _releases(platform: Platform, component: str, part: str, secret: str) -> Iterator[Release]:
    found = _chosen(platform)[component]
    for chart in () if _by_manifests(platform, found) else found.charts:
        short = _short(chart)
        if component != "istio":
            yield _release(platform, component, found, chart, _values(platform, short, secret))
        elif part == naming.TIER2 and short == _TIER2_CHART:
            # The same chart once more, for the platform's own gateway.
            own = Chart(chart.address, naming.TIER2, chart.name)
            place = platform.cluster.namespace
            yield _release(platform, component, found, own, values.tier2(platform), place)
        elif short == part and (short != _TIER2_CHART or _knative(platform)):
            yield _release(platform, component, found, chart, _values(platform, short, secret))


def _knative(platform: Platform) -> bool:
    return any(model.serving.mode == "knative" for model in platform.models)


def _short(chart: Chart) -> str:
    return chart.name or chart.address.rpartition("/")[2]


def _release(
    platform: Platform,
    name: str,
    component: Component,
    chart: Chart,
    settings: Object,
    namespace: str = "",
) -> Release:
    short = _short(chart)
    reference, repository = (short, chart.address) if chart.name else (chart.address, "")
    if platform.bundle:
        reference, repository = f"{platform.bundle}/charts/{short}-{component.version}.tgz", ""
    return Release(
        component=name,
        name=chart.release,
        namespace=namespace or component.namespace,
        chart=reference,
        repository=repository,
        version=component.version,
        values=settings,
        storable=chart.storable,
    )


def _manifests(platform: Platform, component: str, secret: str) -> Iterator[Manifests]:
    found = _chosen(platform)[component]
    if found.charts and not _by_manifests(platform, found):
        return
    objects = _BESIDE.get(component)
    beside = tuple(objects(platform)) if objects else ()
    if component in ("valkey", "redis") and secret:
        beside += (values.valkey_secret(derived(secret, "counters")),)
    files = found.manifest_urls
    if platform.bundle:
        folder = f"{platform.bundle}/manifests/{component}-{found.version}"
        files = tuple(f"{folder}/{url.rpartition('/')[2]}" for url in files)
    if files or beside:
        asked = {one: images.address(platform, one) for one in found.published_images}
        renamed = {name: one for name, one in asked.items() if one != name}
        yield Manifests(component, files, beside, renamed)


def _by_manifests(platform: Platform, component: Component) -> bool:
    """Whether a component is installed without its charts, which no Go module has."""
    return platform.cluster.provider == "node" and component.manifests != ()


# What stands beside a component's manifests, or is laid over them.
_BESIDE: Mapping[str, Callable[[Platform], list[Object]]] = {
    "keda": keda.overlay,
    "knative-serving": knative.overlay,
    "prometheus-operator": prometheus.operator,
    "valkey": values.valkey,
    "redis": values.valkey,
}

# Settings by the name of the chart; a chart that is not listed keeps its own.
_SETTINGS: Mapping[str, Callable[[Platform], Object]] = {
    "cert-manager": values.cert_manager,
    "base": values.istio_base,
    "cni": values.istio_cni,
    "istiod": values.istiod,
    "gateway": values.knative_gateway,
    "gateway-crds-helm": values.envoy_gateway_definitions,
    "gateway-helm": values.envoy_gateway,
    "kube-prometheus-stack": values.prometheus,
    "jaeger": values.jaeger,
    "opentelemetry-collector": values.collector,
    "kserve-resources": values.kserve,
    "kserve-runtime-configs": values.kserve_runtimes,
}


def _values(platform: Platform, chart: str, secret: str) -> Object:
    if chart == "ai-gateway-helm":
        return values.ai_gateway(platform, derived(secret, "mcp-sessions") if secret else "")
    make = _SETTINGS.get(chart)
    return make(platform) if make else {}
