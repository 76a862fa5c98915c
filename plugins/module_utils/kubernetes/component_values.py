# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of the components, one function for each chart: what the platform's own objects rely on, and no more.

Each setting was read in the chart's own values of this train; tests render the charts that can be had with them.
"""

from __future__ import annotations

from ..catalogue import train
from ..inventory import NAMESPACES, Platform
from . import images, naming
from .gateway_names import TENANT_ATTRIBUTE
from .objects import Object
from .prometheus import storage
from .sources import STORE_AUTHORITIES

# Where Envoy's rate limit service keeps its counters, and the key of its Secret that holds the password. Its name is the
# same with either program.
COUNTERS = "valkey"
_COUNTERS_PORT = 6379
_COUNTERS_SIZE = "1Gi"
_PASSWORD = "password"  # noqa: S105 - a name
# Of providers whose nodes need Istio's network plugin in another place.
# https://istio.io/latest/docs/setup/additional-setup/cni/#platform-specific-configuration
_ISTIO_PLATFORMS = {"gke": "gke", "k3s": "k3s"}


# The charts of gateways name no image, and what has no tag is pulled each time, also after Istio has named it.
_PRESENT = {"imagePullPolicy": "IfNotPresent"}


def cert_manager(platform: Platform) -> Object:
    """Make settings of cert-manager."""
    values: Object = {
        "crds": {"enabled": True},
        # Leases beside their owner, so that they leave with it.
        "global": {"leaderElection": {"namespace": NAMESPACES["cert_manager"]}},
    }
    if platform.images.registry is not None:
        # Its chart puts the last folder, which is its own, behind it.
        values["imageRegistry"] = platform.images.registry
    if platform.images.source == "built":
        # The check would be an image of its own; what is installed next waits for the webhook anyway.
        values["startupapicheck"] = {"enabled": False}
    return values


def istio_base(_: Platform) -> Object:
    """Make settings of Istio's definitions."""
    # Without it, objects without a revision's label pass unchecked.
    return {"defaultRevision": "default"}


def istio_cni(platform: Platform) -> Object:
    """Make settings of Istio's network plugin."""
    values = _istio_global(platform)
    if platform.engine.gateway == "standalone":
        # Tier 1's sidecar captures nothing, a mode that Istio knows and its network plugin refuses. Nothing else of the
        # namespace has a sidecar. https://github.com/istio/istio, cni/pkg/plugin/sidecar_redirect.go
        values["excludeNamespaces"] = ["kube-system", platform.cluster.namespace]
        values["resources"] = _small(platform, "20m", "64Mi")
    if platform.cluster.provider == "node":
        values["cniBinDir"] = f"{platform.node_directory}/plugins"
        values["cniConfDir"] = f"{platform.node_directory}/etc/cni"
    return values


def istiod(platform: Platform) -> Object:
    """Make settings of Istio's control plane."""
    mesh: Object = {
        # Figures of requests by model: tier 2's clusters, and no more of Envoy's thousands.
        "defaultConfig": {"proxyStatsMatcher": {"inclusionPrefixes": ["cluster.outbound"]}},
        "trustDomain": naming.TRUST_DOMAIN,
    }
    if naming.traced(platform):
        collector = {"service": naming.COLLECTOR_HOST, "port": naming.COLLECTOR_PORT}
        mesh["extensionProviders"] = [{"name": naming.TRACING_PROVIDER, "opentelemetry": collector}]
    values = _istio_global(platform)
    environment: dict[str, str] = {}
    if any(map(naming.in_pool, platform.models)):
        # Without it, routes to InferencePools lead nowhere.
        environment["ENABLE_GATEWAY_API_INFERENCE_EXTENSION"] = "true"
    if platform.images.source == "built":
        # Envoy as its own project makes it lacks Istio's extensions: with any of these three, it rejects every listener.
        environment |= dict.fromkeys(
            ("PILOT_ENABLE_METADATA_EXCHANGE", "PILOT_ENABLE_ALPN_FILTER"), "false"
        )
        values["telemetry"] = {"enabled": False}
    if environment:
        values["env"] = environment
    if (asked := _small(platform, "100m", "256Mi")) is not None:
        values["resources"] = asked
        values["global"] = {
            **values.get("global", {}),
            "proxy": {"resources": _small(platform, "20m", "64Mi")},
        }
    # Pod Security `restricted` admits no init container that changes the network.
    return {**values, "cni": {"enabled": True}, "meshConfig": mesh}


def _small(platform: Platform, cpu: str, memory: str) -> Object | None:
    """Say what a part of the mesh asks for on a small machine, on which upstream's amounts leave no room for models."""
    if not _is_small(platform):
        return None
    return {"requests": {"cpu": cpu, "memory": memory}}


def _is_small(platform: Platform) -> bool:
    return platform.engine.gateway == "standalone" or platform.cluster.provider == "node"


def _istio_global(platform: Platform) -> Object:
    found: Object = {}
    if name := _ISTIO_PLATFORMS.get(platform.cluster.provider):
        found["platform"] = name
    if platform.images.registry is not None:
        found["hub"] = f"{platform.images.registry}/istio"
        found["tag"] = train(platform.train).components["istio"].version
    return {"global": found} if found else {}


def tier2(platform: Platform) -> Object:
    """Make settings of tier 2's pods."""
    asked = _small(platform, "50m", "64Mi")
    return {
        **({"resources": asked, "autoscaling": {"enabled": False}} if asked else {}),
        # The platform's own ServiceAccount: what tier 1 trusts, and policies speak of.
        "serviceAccount": {"create": False, "name": naming.TIER2},
        "labels": dict(naming.TIER2_LABELS),
        # A changed policy, of a new model say, changes the listener, and what is answered by the one before is cut after this time.
        "podAnnotations": {"proxy.istio.io/config": '{"drainDuration": "3600s"}'},
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        **_PRESENT,
        "service": {
            "type": "ClusterIP",
            "ports": [
                {"name": f"https-{port}", "port": port, "targetPort": port}
                for port in naming.tier2_ports(platform)
            ],
        },
    }


def knative_gateway(platform: Platform) -> Object:
    """Make settings of the gateway that Knative configures; nobody outside the cluster needs it."""
    asked = _small(platform, "50m", "64Mi")
    return {
        **({"resources": asked, "autoscaling": {"enabled": False}} if asked else {}),
        "service": {"type": "ClusterIP"},
        **_PRESENT,
    }


def envoy_gateway_definitions(_: Platform) -> Object:
    """Make settings of Envoy Gateway's definitions: those of the Gateway API have another owner."""
    return {"crds": {"gatewayAPI": {"enabled": False}, "envoyGateway": {"enabled": True}}}


def envoy_gateway(platform: Platform) -> Object:
    """Make settings of Envoy Gateway, with the AI Gateway as its extension.

    https://aigateway.envoyproxy.io/docs/getting-started/prerequisites
    """
    extension = f"ai-gateway-controller.{NAMESPACES['ai_gateway']}.svc.cluster.local"
    counters = f"{COUNTERS}.{NAMESPACES['envoy_gateway']}.svc.cluster.local:{_COUNTERS_PORT}"
    # https://github.com/envoyproxy/ratelimit, README: REDIS_AUTH
    password = {"secretKeyRef": {"name": COUNTERS, "key": _PASSWORD}}
    container: Object = {"env": [{"name": "REDIS_AUTH", "valueFrom": password}]}
    values: Object = {"global": {"images": _envoy_gateway_images(platform)}}
    if _is_small(platform):
        container["resources"] = _small(platform, "20m", "64Mi")
        values["deployment"] = {
            "envoyGateway": {"resources": _small(platform, "50m", "128Mi")},
        }
    limits = {"container": container}
    whole = {"includeAll": True}
    return {
        **values,
        "crds": {"enabled": False},
        "config": {
            "envoyGateway": {
                "extensionApis": {"enableBackend": True},
                "extensionManager": {
                    "hooks": {
                        "xdsTranslator": {
                            "translation": dict.fromkeys(
                                ("listener", "route", "cluster", "secret"), whole
                            ),
                            "post": ["Translation", "Cluster", "Route"],
                        }
                    },
                    "service": {"fqdn": {"hostname": extension, "port": 1063}},
                },
                "rateLimit": {
                    "backend": {"type": "Redis", "redis": {"url": counters}},
                    # Whom nobody answers in time is let through uncounted, and Envoy's 20 ms are little on a busy machine.
                    "timeout": "1s",
                },
                "provider": {"type": "Kubernetes", "kubernetes": {"rateLimitDeployment": limits}},
            }
        },
    }


def _envoy_gateway_images(platform: Platform) -> Object:
    """Name the images of Envoy Gateway, and of the service that counts, which its own choice has no file of."""
    chosen = train(platform.train, platform.images.source).components
    names = {"envoyGateway": "envoy-gateway", "ratelimit": "ratelimit"}
    return {
        key: {"image": images.address(platform, image), "pullPolicy": "IfNotPresent"}
        for key, name in names.items()
        for image in chosen[name].published_images
    }


def ai_gateway(platform: Platform, session_seed: str) -> Object:
    """Make settings of the AI Gateway.

    Args:
        platform: The platform.
        session_seed: What encrypts sessions; upstream's own is public.
    """
    controller: Object = {
        "mutatingWebhook": {"certManager": {"enable": True}},
        "metricsRequestHeaderAttributes": TENANT_ATTRIBUTE,
    }
    if session_seed:
        controller["mcp"] = {"sessionEncryption": {"seed": session_seed}}
    values: Object = {"controller": controller}
    if platform.images.registry is not None:
        chosen = train(platform.train, platform.images.source).components["ai-gateway"]
        for holder, image in zip(
            (controller, values.setdefault("extProc", {})), chosen.published_images, strict=True
        ):
            repository, _, tag = images.address(platform, image).rpartition(":")
            holder["image"] = {"repository": repository, "tag": tag}
    return values


def prometheus(platform: Platform) -> Object:
    """Make settings of the Prometheus stack: it takes monitors and rules of every release."""
    selectors = ("serviceMonitor", "podMonitor", "rule", "probe", "scrapeConfig")
    spec: Object = {f"{name}SelectorNilUsesHelmValues": False for name in selectors}
    if (kept := storage(platform)) is not None:
        spec["storageSpec"] = kept
    return {"prometheus": {"prometheusSpec": spec}}


def jaeger(_: Platform) -> Object:
    """Make settings of Jaeger: the Service that the collector's configuration names."""
    return {"fullnameOverride": "jaeger"}


def collector(_: Platform) -> Object:
    """Make settings of the collector: its configuration is the platform's own object."""
    return {
        "mode": "deployment",
        "fullnameOverride": naming.COLLECTOR,
        "image": {"repository": "otel/opentelemetry-collector"},
        "configMap": {"create": False, "existingName": naming.COLLECTOR},
    }


def kserve(platform: Platform) -> Object:
    """Make settings of KServe."""
    controller: Object = {
        "deploymentMode": "Standard",
        "gateway": {
            "domain": platform.domain,
            "domainTemplate": "{{.Name}}.{{.Namespace}}.{{.IngressDomain}}",
            # Routes are the platform's: KServe makes none.
            "disableIstioVirtualHost": True,
            "ingressGateway": {"enableGatewayApi": True},
        },
        "resources": {
            "requests": {"cpu": "100m", "memory": "300Mi"},
            "limits": {"cpu": "1", "memory": "1Gi"},
        },
        # Its chart would have it pulled again at each start.
        "imagePullPolicy": "IfNotPresent",
    }
    # Not the variables of the fetching containers alone: KServe brings the ConfigMap to each tenant.
    authorities = {"caBundleConfigMapName": STORE_AUTHORITIES}
    fetcher: Object = authorities if platform.cluster.store_authorities else {}
    values: Object = {"controller": controller}
    if platform.images.registry is not None:
        found = {
            images.repository(one): images.address(platform, one)
            for one in train(platform.train).components["kserve"].published_images
        }
        controller |= _image(found["kserve/kserve-controller"])
        controller["rbacProxyImage"] = found["brancz/kube-rbac-proxy"]
        values["agent"] = _image(found["kserve/agent"])
        values["router"] = _image(found["kserve/router"])
        fetcher = {**_image(found["kserve/storage-initializer"]), **fetcher}
        values["localmodel"] = {
            "defaultJobImage": fetcher["image"],
            "defaultJobTag": fetcher["tag"],
        }
    if fetcher:
        values["storage"] = fetcher
    return {"kserve": values}


def _image(address: str) -> Object:
    name, _, tag = address.rpartition(":")
    return {"image": name, "tag": tag}


def kserve_runtimes(platform: Platform) -> Object:
    """Make settings of KServe's runtimes, which its chart leaves out unless it is asked."""
    if platform.images.source == "built":
        # None of their images can be built, and the platform's own runtimes come with its models.
        return {"kserve": {"servingruntime": {"enabled": False}}}
    runtimes: Object = {"enabled": True}
    if platform.images.registry is not None:
        for setting, image in images.kserve_runtimes(platform).items():
            runtimes[setting] = _image(images.address(platform, image))
    return {"kserve": {"servingruntime": runtimes}}


def valkey(platform: Platform) -> list[Object]:
    """Make the store of counters, for Envoy's rate limit service alone. Its Secret is `valkey_secret`.

    A node of plain binaries has Redis for it: Debian, whose package it is made of, has no Valkey.
    """
    name = "redis" if platform.cluster.provider == "node" else "valkey"
    found = train(platform.train, platform.images.source).components[name]
    labels = {"app.kubernetes.io/name": COUNTERS}
    pod: Object = {
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 999,
            "runAsGroup": 999,
            "fsGroup": 999,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": COUNTERS,
                "image": images.address(platform, f"{found.image}:{found.version}"),
                "command": [f"{name}-server", "/etc/valkey/valkey.conf"],
                "ports": [{"name": "tcp-valkey", "containerPort": _COUNTERS_PORT}],
                "readinessProbe": {"tcpSocket": {"port": _COUNTERS_PORT}},
                "resources": {
                    "requests": {"cpu": "50m", "memory": "64Mi"},
                    "limits": {"memory": "256Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "config", "mountPath": "/etc/valkey", "readOnly": True},
                    {"name": "data", "mountPath": "/data"},
                ],
            }
        ],
        "volumes": [
            {
                "name": "config",
                "secret": {
                    "secretName": COUNTERS,
                    "items": [{"key": "valkey.conf", "path": "valkey.conf"}],
                },
            },
            {
                "name": "data",
                **(
                    {"persistentVolumeClaim": {"claimName": COUNTERS}}
                    if stores(platform)
                    else {"emptyDir": {"sizeLimit": _COUNTERS_SIZE}}
                ),
            },
        ],
    }
    deployment = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    # https://github.com/envoyproxy/gateway, internal/infrastructure/kubernetes/ratelimit: labels of its pods
    caller = {"app.kubernetes.io/name": "envoy-ratelimit"}
    port = {"protocol": "TCP", "port": _COUNTERS_PORT}
    policy = {
        "podSelector": {"matchLabels": labels},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": caller}}], "ports": [port]}],
    }
    service = {
        "selector": labels,
        "ports": [{"name": "tcp-valkey", "port": _COUNTERS_PORT, "targetPort": "tcp-valkey"}],
    }
    claim: Object = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": _COUNTERS_SIZE}},
    }
    if platform.cluster.storage_class is not None:
        claim["storageClassName"] = platform.cluster.storage_class
    kinds = {
        # Tokens of a month must outlive a pod.
        **({"v1 PersistentVolumeClaim": claim} if stores(platform) else {}),
        "apps/v1 Deployment": deployment,
        "v1 Service": service,
        "networking.k8s.io/v1 NetworkPolicy": policy,
    }
    return [_beside(kind, {"spec": spec}) for kind, spec in kinds.items()]


def stores(platform: Platform) -> bool:
    """Whether there are volumes; on a node of plain binaries, nobody makes any unless a class is named."""
    return platform.cluster.provider != "node" or platform.cluster.storage_class is not None


def valkey_secret(password: str) -> Object:
    """Make the Secret with the store's settings and its password.

    Args:
        password: Of the store's one user; letters and digits.
    """
    lines = [
        f"port {_COUNTERS_PORT}",
        f"requirepass {password}",
        "dir /data",
        "appendonly yes",
        "maxmemory 192mb",
        "maxmemory-policy volatile-ttl",
    ]
    data = {"valkey.conf": "\n".join(lines) + "\n", _PASSWORD: password}
    return _beside("v1 Secret", {"stringData": data})


def _beside(kind: str, body: Object) -> Object:
    """An object of the store, in Envoy Gateway's namespace."""
    api_version, _, name = kind.partition(" ")
    metadata = {"name": COUNTERS, "namespace": NAMESPACES["envoy_gateway"]}
    return {"apiVersion": api_version, "kind": name, "metadata": metadata, **body}
