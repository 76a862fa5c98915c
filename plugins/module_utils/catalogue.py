# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Release trains: which versions belong together. No other file of the repository names one.

A train is a set of components that were chosen together. Each says where it comes from, which
CustomResourceDefinitions it owns (every bundle has one owner), and why this version stands beside the
others. The inventory's `platform_train` chooses a train; `docs/reference/versions.md` is generated from
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Range:
    """Versions that are accepted: both ends belong to it, and only major and minor are compared."""

    lowest: str
    highest: str
    evidence: str

    def admits(self, version: str) -> bool:
        """Whether a version such as "v1.35.4" lies within."""
        return _minor(self.lowest) <= _minor(version) <= _minor(self.highest)

    @property
    def minors(self) -> list[str]:
        """Every minor version within; all are of one major version."""
        major, first = _minor(self.lowest)
        return [f"{major}.{minor}" for minor in range(first, _minor(self.highest)[1] + 1)]


@dataclass(frozen=True)
class Chart:
    """A Helm chart.

    Attributes:
        address: OCI address of the chart, or the repository's URL.
        name: Its name in that repository; empty for an OCI address.
        release: Name of the release. Some components only work under one name.
        storable: Whether Helm can keep it as a release; one that is larger than a Secret can be is rendered,
            and its objects are applied.
    """

    address: str
    release: str
    name: str = ""
    storable: bool = True


@dataclass(frozen=True)
class Component:
    """One component of a train.

    Attributes:
        version: Its version, as its own releases write it.
        namespace: Where it is installed; empty for what is cluster-wide.
        evidence: Why this version goes with the others of the train.
        charts: Its charts in the order of their installation, all of `version`.
        manifests: Files that are applied, in order; each URL holds the version as `{version}`. Where there are charts, too,
            on a node of plain binaries alone, and in their place.
        crds: API groups whose definitions it owns, as ``group`` or ``group: kind, kind``.
        image: An image that is named directly, without its tag; empty where charts name them all.
        images: The images that its charts name, with the version as `{version}`; empty where they are not told another
            registry.
        runtimes: Images of the model servers that it brings, by the name of their setting in its chart.
        leftovers: What its controllers make outside of its namespace and never remove: version, kind, and
            ``namespace/name``, or the name alone; ``*`` stands for every namespace.
        instead_of: The component whose work it does on a node of plain binaries, and nowhere else.
        built: The release of which its images, charts and definitions are made (`platform_images.source: built`); empty
            where that is `version`. The module proxy does not have every release.
    """

    version: str
    namespace: str
    evidence: str
    charts: tuple[Chart, ...] = ()
    manifests: tuple[str, ...] = ()
    crds: tuple[str, ...] = ()
    image: str = ""
    images: tuple[str, ...] = ()
    runtimes: Mapping[str, str] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    instead_of: str = ""
    built: str = ""

    @property
    def manifest_urls(self) -> tuple[str, ...]:
        """Its manifests with the version filled in."""
        return tuple(url.format(version=self.version) for url in self.manifests)

    @property
    def published_images(self) -> tuple[str, ...]:
        """All of its images, with their tags."""
        named = (f"{self.image}:{self.version}",) if self.image else ()
        return (*named, *(image.format(version=self.version) for image in self.images))


@dataclass(frozen=True)
class Train:
    """A release train.

    Attributes:
        kubernetes: Versions of Kubernetes that it runs on.
        helm: Versions of Helm that can install it.
        architectures: Processors for which every image of the train is published, as nodes are labelled.
        components: Components by name, in the order of their installation.
        node_images: What a node of plain binaries runs before any component: name to image.
        node_kubernetes: Minor releases of Kubernetes that are built for such a node, with the tool that builds each; the
            first is built where an inventory names none.
    """

    kubernetes: Range
    helm: Range
    architectures: tuple[str, ...]
    components: Mapping[str, Component]
    node_images: Mapping[str, str]
    node_kubernetes: Mapping[str, str]


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.removeprefix("v").split(".")[:2]
    return int(major), int(minor)


_ISTIO = "https://istio-release.storage.googleapis.com/charts"
_EG = "oci://docker.io/envoyproxy"
_KSERVE = "oci://ghcr.io/kserve/charts"

TRAINS: Mapping[str, Train] = {
    "2026.11": Train(
        kubernetes=Range(
            "1.34",
            "1.36",
            "Knative Serving refuses less than 1.34; Envoy Gateway lists 1.33 to 1.36",
        ),
        helm=Range(
            "3.14",
            "3.22",
            "kubernetes.core, which drives it, takes Helm 4 only since 6.4, later than the oldest "
            "supported Ansible brings; 3.22 was run",
        ),
        architectures=("amd64", "arm64"),
        node_images={
            "coredns": "registry.k8s.io/coredns/coredns:v1.14.7",
            "pause": "registry.k8s.io/pause:3.10.1",
        },
        node_kubernetes={"1.35": "kubernetes", "1.36": "kubernetes-1.36"},
        components={
            "gateway-api": Component(
                "v1.6.1",
                "",
                "Envoy Gateway and the AI Gateway of this train are built on it; additive to 1.5.1, which "
                "KServe is built on; Istio 1.31 as well",
                manifests=(
                    "https://github.com/kubernetes-sigs/gateway-api/releases/download/{version}/standard-install.yaml",
                ),
                crds=("gateway.networking.k8s.io",),
            ),
            "cert-manager": Component(
                "v1.21.1",
                "cert-manager",
                "its own support table: Kubernetes 1.33 to 1.36",
                charts=(Chart("oci://quay.io/jetstack/charts/cert-manager", "cert-manager"),),
                images=tuple(
                    f"quay.io/jetstack/cert-manager-{name}:{{version}}"
                    for name in (
                        "controller",
                        "webhook",
                        "cainjector",
                        "acmesolver",
                        "startupapicheck",
                    )
                ),
                crds=("cert-manager.io", "acme.cert-manager.io"),
            ),
            "kube-prometheus-stack": Component(
                "88.5.3",
                "monitoring",
                "its operator serves monitoring.coreos.com/v1, all that is used",
                charts=(
                    Chart(
                        "oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack",
                        "prometheus",
                    ),
                ),
                crds=("monitoring.coreos.com",),
                leftovers=(
                    "v1 Service kube-system/prometheus-kube-prometheus-kubelet",
                    "v1 Endpoints kube-system/prometheus-kube-prometheus-kubelet",
                ),
            ),
            "prometheus-operator": Component(
                "v0.93.0",
                "monitoring",
                "serves monitoring.coreos.com/v1, all that is used; ran on Kubernetes 1.35 with Prometheus of this train",
                manifests=(
                    "https://github.com/prometheus-operator/prometheus-operator/releases/download/{version}/stripped-down-crds.yaml",
                ),
                crds=("monitoring.coreos.com",),
                images=tuple(
                    f"quay.io/prometheus-operator/{name}:{{version}}"
                    for name in ("prometheus-operator", "prometheus-config-reloader")
                ),
                instead_of="kube-prometheus-stack",
            ),
            "prometheus": Component(
                "v3.16.0",
                "monitoring",
                "configured by the operator of this train, which reads what both projects write the same way since 3.0",
                image="quay.io/prometheus/prometheus",
                instead_of="kube-prometheus-stack",
            ),
            "alertmanager": Component(
                "v0.35.0",
                "monitoring",
                "configured by the operator of this train; ran with Prometheus of this train",
                image="quay.io/prometheus/alertmanager",
                instead_of="kube-prometheus-stack",
            ),
            "kube-state-metrics": Component(
                "v2.18.0",
                "monitoring",
                "ran on Kubernetes 1.35",
                image="registry.k8s.io/kube-state-metrics/kube-state-metrics",
                instead_of="kube-prometheus-stack",
            ),
            "istio": Component(
                "1.31.0",
                "istio-system",
                "built on Gateway API 1.6; istiod of 1.31 ran beside Envoy Gateway, Knative and KServe of "
                "this train, with traffic",
                charts=(
                    Chart(_ISTIO, "istio-base", "base"),
                    Chart(_ISTIO, "istio-cni", "cni"),
                    Chart(_ISTIO, "istiod", "istiod"),
                    Chart(_ISTIO, "istio-ingressgateway", "gateway"),
                ),
                images=tuple(
                    f"docker.io/istio/{name}:{{version}}"
                    for name in ("pilot", "proxyv2", "install-cni")
                ),
                crds=(
                    "networking.istio.io",
                    "security.istio.io",
                    "telemetry.istio.io",
                    "extensions.istio.io",
                ),
                leftovers=(
                    "v1 ConfigMap */istio-ca-root-cert",
                    "gateway.networking.k8s.io/v1 GatewayClass istio",
                    "gateway.networking.k8s.io/v1 GatewayClass istio-remote",
                ),
            ),
            "knative-serving": Component(
                "knative-v1.22.1",
                "knative-serving",
                "KServe is built with and tested on 1.21; 1.22 ran with KServe of this train in mode knative",
                manifests=(
                    "https://github.com/knative/serving/releases/download/{version}/serving-crds.yaml",
                    "https://github.com/knative/serving/releases/download/{version}/serving-core.yaml",
                ),
                images=tuple(
                    f"gcr.io/knative-releases/knative.dev/serving/cmd/{name}:v1.22.1"
                    for name in ("activator", "autoscaler", "controller", "queue", "webhook")
                ),
                crds=(
                    "serving.knative.dev",
                    "networking.internal.knative.dev",
                    "autoscaling.internal.knative.dev",
                    "caching.internal.knative.dev",
                ),
            ),
            "net-istio": Component(
                "knative-v1.22.0",
                "knative-serving",
                "released with Knative Serving 1.22; tested upstream with an older Istio, whose APIs are "
                "still served",
                manifests=(
                    "https://github.com/knative-extensions/net-istio/releases/download/{version}/net-istio.yaml",
                ),
            ),
            "keda": Component(
                "2.20.2",
                "keda",
                "serves keda.sh/v1alpha1, which KServe is built with; ran on Kubernetes 1.35",
                charts=(Chart("https://kedacore.github.io/charts", "keda", "keda"),),
                manifests=(
                    "https://github.com/kedacore/keda/releases/download/v{version}/keda-{version}-core.yaml",
                ),
                crds=("keda.sh", "eventing.keda.sh"),
                images=tuple(
                    f"ghcr.io/kedacore/{name}:{{version}}"
                    for name in ("keda", "keda-metrics-apiserver", "keda-admission-webhooks")
                ),
            ),
            "gateway-api-inference-extension": Component(
                "v1.5.0",
                "",
                "KServe's own pin; InferencePool v1 is the same for Istio and the AI Gateway",
                manifests=(
                    "https://github.com/kubernetes-sigs/gateway-api-inference-extension/releases/download/{version}/v1-manifests.yaml",
                ),
                crds=("inference.networking.k8s.io",),
            ),
            "lws": Component(
                "v0.10.0",
                "lws-system",
                "leaderworkerset.x-k8s.io/v1 is unchanged since KServe's pin",
                charts=(Chart("oci://registry.k8s.io/lws/charts/lws", "lws"),),
                crds=("leaderworkerset.x-k8s.io", "disaggregatedset.x-k8s.io"),
            ),
            "envoy-gateway": Component(
                "v1.9.2",
                "envoy-gateway-system",
                "the AI Gateway of this train is built on it",
                charts=(
                    Chart(f"{_EG}/gateway-crds-helm", "eg-crds", storable=False),
                    Chart(f"{_EG}/gateway-helm", "eg"),
                ),
                images=("docker.io/envoyproxy/gateway:{version}",),
                crds=("gateway.envoyproxy.io",),
                built="v1.9.1",
                # Made by hooks of its chart, which Helm does not count as the release's.
                leftovers=(
                    (
                        "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration "
                        "envoy-gateway-topology-injector.envoy-gateway-system"
                    ),
                    (
                        "rbac.authorization.k8s.io/v1 ClusterRole "
                        "eg-gateway-helm-certgen:envoy-gateway-system"
                    ),
                    (
                        "rbac.authorization.k8s.io/v1 ClusterRoleBinding "
                        "eg-gateway-helm-certgen:envoy-gateway-system"
                    ),
                ),
            ),
            "ratelimit": Component(
                "8fe6ea42",
                "envoy-gateway-system",
                "a commit, as it has no releases: the one that Envoy Gateway of this train names; what is built is the "
                "one that its module requires",
                image="docker.io/envoyproxy/ratelimit",
                built="3fb70258",
            ),
            "valkey": Component(
                "9.1.1",
                "envoy-gateway-system",
                "speaks the Redis protocol, in which Envoy's rate limit service keeps its counters; the "
                "first 9.1 without the flaws published in July 2026",
                image="docker.io/valkey/valkey",
            ),
            "redis": Component(
                "7.0.15",
                "envoy-gateway-system",
                "speaks the protocol in which Envoy's rate limit service keeps its counters; of Debian's packages, where "
                "Valkey is not among them",
                image="docker.io/library/redis",
                instead_of="valkey",
            ),
            "ai-gateway": Component(
                "v1.2.0",
                "envoy-ai-gateway-system",
                "its binary says so: Envoy Gateway 1.9.2, Gateway API 1.6.1; what is built is built with Envoy Gateway 1.8.1 "
                "and Gateway API 1.5.1, and ran on a node with those of this train, judged by requests",
                charts=(
                    Chart(f"{_EG}/ai-gateway-crds-helm", "aieg-crd"),
                    Chart(f"{_EG}/ai-gateway-helm", "aieg"),
                ),
                images=tuple(
                    f"docker.io/envoyproxy/ai-gateway-{name}:{{version}}"
                    for name in ("controller", "extproc")
                ),
                crds=("aigateway.envoyproxy.io",),
                built="v1.0.0",
            ),
            "ai-gateway-cli": Component(
                "v1.2.0",
                "",
                "tier 1 without controller: the AI Gateway's own command; ran with rendered objects",
                image="docker.io/envoyproxy/ai-gateway-cli",
            ),
            "envoy": Component(
                "1.40.0",
                "",
                "both engines of tier 1; without controller, the AI Gateway of this train ran with it, judged by requests",
                images=("docker.io/envoyproxy/envoy:v{version}",),
            ),
            "kserve": Component(
                "v0.20.0",
                "kserve",
                "ran in mode standard behind Istio of this train, and in mode knative behind Knative's; "
                "built on Gateway API 1.5.1",
                charts=(
                    Chart(f"{_KSERVE}/kserve-crd", "kserve-crd"),
                    Chart(f"{_KSERVE}/kserve-resources", "kserve"),
                    Chart(f"{_KSERVE}/kserve-runtime-configs", "kserve-runtimes"),
                ),
                images=(
                    *(
                        f"docker.io/kserve/{name}:{{version}}"
                        for name in ("kserve-controller", "agent", "router", "storage-initializer")
                    ),
                    "quay.io/brancz/kube-rbac-proxy:v0.18.0",
                ),
                # As its chart of runtimes names them.
                runtimes={
                    "sklearnserver": "docker.io/kserve/sklearnserver:{version}",
                    "xgbserver": "docker.io/kserve/xgbserver:{version}",
                    "lgbserver": "docker.io/kserve/lgbserver:{version}",
                    "huggingfaceserver": "docker.io/kserve/huggingfaceserver:{version}",
                    "tensorflow": "docker.io/tensorflow/serving:2.6.2",
                    "tritonserver": "nvcr.io/nvidia/tritonserver:23.05-py3",
                    "torchserve": "docker.io/pytorch/torchserve-kfs:0.9.0",
                    "vllmserver": "docker.io/vllm/vllm-openai:latest",
                    "mlserver": "docker.io/seldonio/mlserver:1.5.0",
                    **{
                        name: f"docker.io/kserve/{name}:{{version}}"
                        for name in (
                            "pmmlserver",
                            "predictiveserver",
                            "paddleserver",
                            "autogluonserver",
                        )
                    },
                },
                crds=("serving.kserve.io",),
            ),
            "jaeger": Component(
                "4.11.1",
                "monitoring",
                "takes OTLP; no part of the platform is built with it",
                charts=(Chart("https://jaegertracing.github.io/helm-charts", "jaeger", "jaeger"),),
            ),
            "jaeger-collector": Component(
                "2.13.0",
                "monitoring",
                "takes OTLP, and is a collector itself; ran with Istio and the AI Gateway of this train",
                image="docker.io/jaegertracing/jaeger",
                instead_of="jaeger",
            ),
            "opentelemetry-collector": Component(
                "0.170.0",
                "monitoring",
                "takes and sends OTLP; no part of the platform is built with it",
                charts=(
                    Chart(
                        "https://open-telemetry.github.io/opentelemetry-helm-charts",
                        "otel-collector",
                        "opentelemetry-collector",
                    ),
                ),
            ),
            "loki": Component(
                "18.11.0",
                "monitoring",
                "takes OTLP logs; no part of the platform is built with it",
                charts=(Chart("oci://ghcr.io/grafana-community/helm-charts/loki", "loki"),),
            ),
            "kiali": Component(
                "2.29.0",
                "kiali-operator",
                "each release is tested with the Istio releases then supported; Istio 1.31 ships 2.27 as "
                "its sample",
                charts=(
                    Chart("https://kiali.org/helm-charts", "kiali-operator", "kiali-operator"),
                ),
                crds=("kiali.io",),
            ),
        },
    ),
}


def train(name: str, source: str = "published") -> Train:
    """Find a train by the inventory's `platform_train`.

    Args:
        name: Its name.
        source: `platform_images.source`: with ``built``, each component is of the release that can be built.

    Raises:
        KeyError: There is no such train; validation refuses it before.
    """
    found = TRAINS[name]
    if source != "built":
        return found
    return replace(
        found,
        components={
            key: replace(one, version=one.built or one.version)
            for key, one in found.components.items()
        },
    )


def versions_markdown() -> str:
    """Write the page of versions.

    Returns:
        Markdown: a table for each train.
    """
    parts = [_INTRODUCTION]
    for name, one in TRAINS.items():
        rows = [
            (
                "Kubernetes",
                f"{one.kubernetes.lowest} to {one.kubernetes.highest}",
                one.kubernetes.evidence,
            ),
            (
                "Kubernetes of a node of plain binaries",
                ", ".join(one.node_kubernetes),
                "what `playbooks/bundle.yml` builds for it; the first where the inventory names none",
            ),
            ("Helm", f"{one.helm.lowest} to {one.helm.highest}", one.helm.evidence),
            ("processors", ", ".join(one.architectures), "what all images are published for"),
            *((key, _shown(found), found.evidence) for key, found in one.components.items()),
        ]
        table = "".join(f"| {' | '.join(cells)} |\n" for cells in [_HEAD, _RULE, *rows])
        parts.append(f"## Train {name}\n\n{table}")
    return "\n".join(parts)


def _shown(component: Component) -> str:
    built = f" (built: {component.built})" if component.built else ""
    return f"{component.version}{built}"


_HEAD = ("component", "version", "why it stands beside the others")
_RULE = ("---", "---", "---")
_INTRODUCTION = """\
# Versions

<!-- Generated by `make docs`; a test checks that it is current. -->

`platform_train` chooses which versions are installed in a cluster. They stand in one place,
`plugins/module_utils/catalogue.py`, in the order in which they are installed. "Ran" means that it was
run, in this combination; everything else is read from the projects' own files. "Built" is the release of which images are put
together (`platform_images.source: built`) where the module proxy does not have the other one.
"""
