# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names, hosts, identities and labels of everything the platform owns in a cluster.

Names of tenants, and of models with those of providers, are unique on a platform, so objects are named
by one of the two alone and never by two names joined: ``a-b`` of ``c`` cannot meet ``a`` of ``b-c``.
"""

from __future__ import annotations

import hashlib

from ..inventory import NAMESPACES, Model, Platform, Provider, ProviderModel
from ..serving.upstreams import LLM_D

# RFC 1123: a DNS label. Names of Services, label values and most object names end here.
LABEL_CHARACTERS = 63
_DIGEST_CHARACTERS = 8

MANAGED_BY = "inferencebox"
# Labels by which the platform finds its own objects: all of them carry the first two.
MANAGED_LABEL = "app.kubernetes.io/managed-by"
PLATFORM_LABEL = "inferencebox.io/platform"
TENANT_LABEL = "inferencebox.io/tenant"
MODEL_LABEL = "inferencebox.io/model"

# Labels that KServe gives the pods of an InferenceService: its name, and predictor or transformer.
SERVICE_LABEL = "serving.kserve.io/inferenceservice"
COMPONENT_LABEL = "component"

# The SPIFFE trust domain of Istio's own certificate authority, unless its mesh says otherwise.
TRUST_DOMAIN = "cluster.local"

# ServiceAccounts in the platform's namespace, one for each tier; tier 2's pods bear it as label too.
TIER1 = "tier1"
TIER2 = "tier2"
TIER2_LABELS = {"istio": TIER2}
# Labels of tier 1's pod where it is `standalone`.
TIER1_LABELS = {"app.kubernetes.io/name": TIER1}
# The port on which tier 2 takes requests from tier 1, over mutual TLS.
TIER2_PORT = 8443

# The listeners for models on llm-d, whose routes KServe makes itself, and their port; also over mutual TLS.
POOLS = "tier2-pools"
POOLS_PORT = 8444

# ServiceAccounts in each tenant's namespace: of model servers, and of transformers, which alone may
# call a model server beside tier 2.
MODELS = "models"
TRANSFORMERS = "transformers"

# The OpenTelemetry collector, and the name under which Istio's mesh configuration knows it.
COLLECTOR_HOST = f"otel-collector.{NAMESPACES['monitoring']}.svc.cluster.local"
TRACING_PROVIDER = "otel"

# The Service that the Prometheus operator makes beside each Prometheus.
PROMETHEUS_HOST = f"prometheus-operated.{NAMESPACES['monitoring']}.svc.cluster.local"
PROMETHEUS_PORT = 9090

# What tier 2 answers to tier 1 in place of 503 where it did not reach a model server: one that is about to be started, or
# any. Callers see 503, in the words of their protocol.
STARTING, UNREACHED = 598, 599

# Knative's gateway for requests from inside the cluster; it knows models by their hosts there.
KNATIVE_LOCAL = f"knative-local-gateway.{NAMESPACES['istio']}.svc.cluster.local"

# Of the InferenceServices that KServe makes of a model's versions.
CANARY = "canary"
MIRROR = "mirror"

# The version that a model serves to those who get no other, on what serves it and on its route.
VERSION_LABEL = "inferencebox.io/version"

# On a component of an InferenceService, and so on the Deployment or Knative's Service that KServe makes of it: which state of the
# one the other is of. Its status has a generation, but that is the other's: PropagateRawStatus and PropagateStatus in
# https://github.com/kserve/kserve, pkg/apis/serving/v1beta1/inference_service_status.go
DIGEST_ANNOTATION = "inferencebox.io/digest"

# On a ConfigMap of which running pods take a file over: their label, and the container that says so in its log, with the file's digest.
READ_BY_ANNOTATION = "inferencebox.io/read-by"

# Of pods that were replaced and still answer: who waits for their room may have it.
YIELDS_LABEL = "inferencebox.io/yields"

# The port of the Services that KServe makes in mode `standard`.
SERVICE_PORT = 80


def shortened(name: str, longest: int = LABEL_CHARACTERS) -> str:
    """Fit a name into what Kubernetes admits.

    Args:
        name: A DNS label, perhaps too long.
        longest: Most characters, more than 9.

    Returns:
        The name itself where it fits, else its beginning and a part of its digest, so that two long
        names stay apart.
    """
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    head = name[: longest - _DIGEST_CHARACTERS - 1].rstrip("-")
    return f"{head}-{digest}"


def labels(platform: Platform, tenant: str = "", model: str = "") -> dict[str, str]:
    """Make the labels by which the platform knows its own.

    Args:
        platform: The platform.
        tenant: Name of the tenant the object belongs to; empty for the platform's own.
        model: Name of the model it belongs to; empty where it belongs to none.
    """
    found = {MANAGED_LABEL: MANAGED_BY, PLATFORM_LABEL: platform.name}
    if tenant:
        found[TENANT_LABEL] = tenant
    if model:
        found[MODEL_LABEL] = model
    return found


def cluster_wide(platform: Platform, topic: str) -> str:
    """Name an object that has no namespace, so that two platforms in one cluster never share one."""
    return shortened(f"inferencebox-{platform.name}-{topic}")


def of_model(model: Model | ProviderModel) -> str:
    """Name the objects of tier 1 that belong to one model, a tenant's or a provider's."""
    return shortened(f"model-{model.name}")


def of_provider(provider: Provider) -> str:
    """Name the objects of tier 1 that belong to one provider."""
    return shortened(f"provider-{provider.name}")


def of_tenant(tenant: str) -> str:
    """Name an object in the platform's namespace that belongs to one tenant."""
    return shortened(f"tenant-{tenant}")


def gateway_host(platform: Platform) -> str:
    """Host that callers use."""
    return f"gateway.{platform.domain}"


def tenant_domain(platform: Platform, tenant: str) -> str:
    """Domain below which the hosts of a tenant's models are, inside the cluster only."""
    return f"{tenant}.{platform.domain}"


def model_host(platform: Platform, model: Model) -> str:
    """Host by which tier 2 knows a model. KServe's domain template gives the same for both modes."""
    return f"{model.name}.{tenant_domain(platform, model.tenant)}"


def tier2_host(platform: Platform) -> str:
    """Where tier 1 finds tier 2."""
    return f"{TIER2}.{platform.cluster.namespace}.svc.cluster.local"


def tier1_pods(platform: Platform) -> tuple[str, dict[str, str]]:
    """Where tier 1's proxies run: their namespace, and labels that they alone have there."""
    if platform.engine.gateway == "standalone":
        return platform.cluster.namespace, TIER1_LABELS
    return NAMESPACES["envoy_gateway"], {
        "gateway.envoyproxy.io/owning-gateway-namespace": platform.cluster.namespace,
        "gateway.envoyproxy.io/owning-gateway-name": TIER1,
    }


def traced(platform: Platform) -> bool:
    """Whether spans are collected: on a node of plain binaries, nothing takes them."""
    observed = platform.observability.prometheus != "disabled"
    return observed and platform.cluster.provider != "node"


def principal(namespace: str, service_account: str) -> str:
    """Write an identity as an AuthorizationPolicy does, without its scheme."""
    return f"{TRUST_DOMAIN}/ns/{namespace}/sa/{service_account}"


def tier_principal(platform: Platform, tier: str) -> str:
    """The identity of a tier: of its ServiceAccount in the platform's namespace."""
    return principal(platform.cluster.namespace, tier)


def in_pool(model: Model) -> bool:
    """Whether a model is served by an InferencePool, which KServe makes with a route of its own."""
    return model.runtime == LLM_D


def tier2_ports(platform: Platform) -> list[int]:
    """Ports on which tier 2 takes requests from tier 1."""
    return [TIER2_PORT, *([POOLS_PORT] if any(map(in_pool, platform.models)) else [])]


def tier2_port(model: Model) -> int:
    """The one of `tier2_ports` at which a model is found."""
    return POOLS_PORT if in_pool(model) else TIER2_PORT


def pool_services(model: Model) -> list[str]:
    """Name every LLMInferenceService of a model that is served by an InferencePool."""
    return [
        model.name,
        *([inference_service(model, CANARY)] if model.traffic.canary else []),
    ]


def pool_labels(service: str, component: str) -> dict[str, str]:
    """Labels of the pods of one LLMInferenceService.

    Args:
        service: Its name.
        component: `WORKLOAD` for its model servers, `SCHEDULER` for what chooses among them.
    """
    return {
        "app.kubernetes.io/part-of": "llminferenceservice",
        "app.kubernetes.io/name": service,
        "app.kubernetes.io/component": f"llminferenceservice-{component}",
    }


WORKLOAD = "workload"
SCHEDULER = "router-scheduler"


def inference_services(model: Model) -> list[str]:
    """Name every InferenceService of a model; one that is served by an InferencePool has none."""
    if in_pool(model):
        return []
    return [model.name, *([inference_service(model, MIRROR)] if model.traffic.mirror else [])]


def inference_service(model: Model, variant: str = "") -> str:
    """Name an InferenceService.

    Args:
        model: The model.
        variant: `MIRROR` for the one that gets copies of requests; else empty.
    """
    return f"{model.name}-{variant}" if variant else model.name


def model_service(model: Model, variant: str = "") -> str:
    """Name the Service that answers for one version of a model in mode `standard`.

    Args:
        model: The model.
        variant: `CANARY`, `MIRROR`, or empty for the version that answers.

    Returns:
        What KServe makes of an InferenceService: ``NAME-predictor``, or ``NAME-transformer`` where
        requests pass a transformer first; at most 57 characters.
    """
    component = "predictor" if variant == CANARY or not passes_transformer(model) else "transformer"
    return f"{inference_service(model, variant)}-{component}"


def service_host(model: Model, variant: str = "") -> str:
    """Host of the Service that answers for one version of a model; arguments as `model_service`."""
    return f"{model_service(model, variant)}.{model.tenant}.svc.cluster.local"


def issuer_keys(issuer: str) -> str:
    """Name the ConfigMap with an issuer's public keys (key ``jwks``), made at install."""
    return shortened(f"issuer-{issuer}")


# InferenceServices of mode `standard` carry it: KServe then makes no route, because tier 2's are ours.
# https://github.com/kserve/kserve, reconcilers/ingress: such a service counts as ready without one.
UNROUTED_LABEL = {"networking.kserve.io/visibility": "cluster-local"}


def passes_transformer(model: Model) -> bool:
    """Whether requests for a model pass a transformer before its predictor."""
    return model.transformer is not None
