# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 1 in one pod: the AI Gateway's own command, which reads the objects of tier 1 from a file.

No controller watches those objects, so none is applied: all of them stand in one ConfigMap. Three things of the
command shape the pod. It looks for Envoy below its data directory, so that a first container puts it there. It reads
credentials of providers with the objects, so that the first container writes both into one file. And it watches its
directory of resources alone, which a second container keeps up to date: certificates and key sets, which it takes from nowhere
else, and all objects that it reads as they stand. What it finds half written ends it, hence the rename.

The gateway is a sidecar container, and the second one the pod's main container: so the kubelet ends the gateway, and after
it the mesh's proxy, only when the second one has ended, which before looks on until no answer is on its way.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

from ..catalogue import train
from ..inventory import Platform
from . import certificates, images, naming, network
from .gateway_names import TENANT_ATTRIBUTE
from .gateway_policies import KEYS
from .manifests import to_yaml
from .objects import Maker, Object
from .runtimes import CONTAINER_SECURITY, POD_SECURITY

# How long a pod that is replaced goes on at least, until everybody sends new connections elsewhere, and at most. Nothing bounds a
# stream but the silence in it; what takes longer than this is cut.
_LEAST_DRAIN_SECONDS = 15
_MOST_DRAIN_SECONDS = 3600
_END_SECONDS = 30
# Where tier 1 listens inside its pod.
PORT = 10443
# Where it tells figures of language models. Its Envoy's are on loopback alone: the gateway itself has the port that Envoy
# would have elsewhere.
METRICS_PORT = 1064
# Keys of its ConfigMap under which the objects of tier 1 stand: what is read when it starts, and what is taken over while it runs.
_FIRST, _LIVE = "objects.yaml", "live.yaml"
CONFIGURATION = (_FIRST, _LIVE)
# Of what the AI Gateway makes other objects, when it starts; it panics where their Backend is missing.
_TRANSLATED = ("AIGatewayRoute", "AIServiceBackend", "BackendSecurityPolicy")
_STARTING = ("GatewayClass", "EnvoyProxy", "Gateway", *_TRANSLATED)
_HTTPS_PORT = 443
_USER = 65532

# The container that gives the gateway what it takes over while it runs.
_READER = "place"

_HOME = "/home/nonroot"
_RESOURCES = f"{_HOME}/state/runs/0/envoy-ai-gateway-resources"
_COMPLETE = f"{_HOME}/objects.yaml"
_OBJECTS, _SECRETS, _REFERRED = "/objects", "/secrets", "/referred"

# Writes a directory's files as the data of an object; files are the keys.
_EMIT = r"""
emit() { # kind, directory
  printf -- '---\napiVersion: v1\nkind: %s\nmetadata: {name: %s, namespace: %s}\n' "$1" "$(basename "$2")" "$NAMESPACE"
  if [ "$1" = Secret ] && [ -e "$2/tls.crt" ]; then echo 'type: kubernetes.io/tls'; fi
  echo "data:"
  for file in "$2"/*; do
    if [ "$1" = Secret ]; then
      printf '  %s: %s\n' "$(basename "$file")" "$(base64 -w0 < "$file")"
    else
      printf '  %s: |\n' "$(basename "$file")"
      sed 's/^/    /' "$file"
      echo
    fi
  done
}
""".lstrip()

_PREPARE = f"""\
set -eu
umask 077
. {_OBJECTS}/emit.sh
mkdir -p "$(dirname "$ENVOY")"
cp /usr/local/bin/envoy "$ENVOY"
chmod 0755 "$ENVOY"
cat {_OBJECTS}/{_FIRST} > {_COMPLETE}
for each in {_SECRETS}/*/; do
  if [ -d "$each" ]; then emit Secret "${{each%/}}" >> {_COMPLETE}; fi
done
"""

# What is placed before the gateway watches the folder is not read: it is placed anew until the gateway listens
# (proc(5), net/tcp: state 0A). It does so when it has its certificate, which it shall not have before the policies: it takes
# files over in the order of their names, and reads policies after certificates (Envoy Gateway, internal/provider/file and
# internal/provider/kubernetes/controller.go).
_PLACE = f"""\
set -eu
umask 077
# The first process of a container does not end by a signal that it does not handle.
trap 'exit 0' TERM
. {_OBJECTS}/emit.sh
listens() {{
  grep -qs ":{PORT:04X} [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6
}}
told=
while :; do
  if [ -e {_RESOURCES}/config.yaml ]; then
    cat {_OBJECTS}/{_LIVE} > {_RESOURCES}/.live
    digest=$(sha256sum < {_RESOURCES}/.live)
    for each in {_REFERRED}/keys/*/; do emit ConfigMap "${{each%/}}"; done >> {_RESOURCES}/.live
    for each in {_REFERRED}/secrets/*/; do emit Secret "${{each%/}}"; done > {_RESOURCES}/.secrets
    for each in live secrets; do
      if ! listens || ! cmp -s {_RESOURCES}/.$each {_RESOURCES}/$each.yaml; then
        mv {_RESOURCES}/.$each {_RESOURCES}/$each.yaml
      fi
    done
    if [ "$digest" != "$told" ] && listens; then
      # The gateway reads it, and Envoy hears of it: neither says when.
      sleep 10
      echo "in force: ${{digest%% *}}"
      told=$digest
    fi
  fi
  sleep 1
done
"""

# Envoy answers on, and ends each connection with its next answer: a client comes back by the new pod, which knows what has
# changed. Its image may have either of two programs that speak TCP.
_DRAIN = f"""\
set -u
IFS=: read -r host port < {_HOME}/run/0/admin-address.txt
speak() {{
  if command -v nc > /dev/null; then
    nc "$host" "$port"
  else
    bash -c 'exec 3<> "/dev/tcp/$0/$1"; cat >&3; cat <&3' "$host" "$port"
  fi
}}
# Envoy does not answer whoever has closed its side already.
ask() {{ # method, path
  {{
    printf '%s %s HTTP/1.1\\r\\nHost: envoy\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' "$1" "$2"
    sleep 2
  }} | speak
}}
ask POST /healthcheck/fail > /dev/null
sleep {_LEAST_DRAIN_SECONDS}
# None on its way, seen three times in a row; or nothing heard for minutes, because Envoy is gone. One that has no time is only slow.
none=0
unheard=0
while [ "$none" -lt 3 ] && [ "$unheard" -lt 90 ]; do
  active=$(ask GET '/stats?filter=downstream_rq_active' | sed -n 's/^http\\.https-{PORT}\\.downstream_rq_active: \\([0-9]*\\).*/\\1/p')
  case "$active" in
    0) none=$((none + 1)) unheard=0 ;;
    '') unheard=$((unheard + 1)) ;;
    *) none=0 unheard=0 ;;
  esac
done
"""


def objects(platform: Platform, configuration: Sequence[Object]) -> list[Object]:
    """Make the pod of tier 1 and what belongs to it.

    Args:
        platform: A platform whose gateway is `standalone`.
        configuration: The objects of tier 1.

    Returns:
        ConfigMap, Deployment, Service and NetworkPolicy.
    """
    make = Maker(platform)
    # The keys that sign API keys are there before the first of them is made, which then needs no other pod.
    key_sets = sorted({naming.issuer_keys(KEYS), *_config_maps(configuration)})
    first, live = _shared_out(configuration)
    data = {
        "emit.sh": _EMIT,
        "drain.sh": _DRAIN,
        _FIRST: to_yaml(first),
        "place.sh": _PLACE,
        "prepare.sh": _PREPARE,
    }
    # These files are read once, so that a pod with others is another pod.
    digest = _digest("\0".join(data.values()))
    live_text = to_yaml(live)
    (name, value), *_ = naming.TIER1_LABELS.items()
    read_by = {
        naming.READ_BY_ANNOTATION: f"{name}={value}/{_READER}",
        naming.DIGEST_ANNOTATION: _digest(live_text),
    }
    data = dict(sorted({**data, _LIVE: live_text}.items()))
    return [
        make.namespaced("v1 ConfigMap", naming.TIER1, {"data": data}, annotations=read_by),
        make.namespaced(
            "apps/v1 Deployment",
            naming.TIER1,
            {"spec": _deployment(platform, digest, key_sets)},
            labels=dict(naming.TIER1_LABELS),
        ),
        make.namespaced("v1 Service", naming.TIER1, {"spec": _service(platform)}),
        _network_policy(platform, make),
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _shared_out(configuration: Sequence[Object]) -> tuple[list[Object], list[Object]]:
    """Tell what is read when the gateway starts from what it takes over while it runs, which is all that it reads as it stands."""
    backends = {
        each["spec"]["backendRef"]["name"]
        for each in configuration
        if each["kind"] == "AIServiceBackend"
    }
    backends.add(naming.COLLECTOR)

    def starting(each: Object) -> bool:
        if each["kind"] == "Backend":
            return each["metadata"]["name"] in backends
        if each["kind"] == "BackendTLSPolicy":
            return any(one["name"] in backends for one in each["spec"]["targetRefs"])
        return each["kind"] in _STARTING

    return (
        [each for each in configuration if starting(each)],
        [each for each in configuration if not starting(each)],
    )


def _config_maps(value: Any) -> Iterator[str]:
    """Find the ConfigMaps that objects refer to: keys of issuers, and authorities of their hosts."""
    if isinstance(value, dict):
        if value.get("kind") == "ConfigMap" and "name" in value:
            yield value["name"]
        for each in value.values():
            yield from _config_maps(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _config_maps(each)


def _deployment(platform: Platform, digest: str, key_sets: Sequence[str]) -> Object:
    secrets = sorted({provider.secret for provider in platform.providers})
    return {
        "replicas": 1,
        # The new one answers before the old one goes.
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "selector": {"matchLabels": dict(naming.TIER1_LABELS)},
        "template": {
            "metadata": {
                "labels": {
                    **naming.labels(platform),
                    **naming.TIER1_LABELS,
                    naming.YIELDS_LABEL: "true",
                    "sidecar.istio.io/inject": "true",
                },
                "annotations": {
                    "inferencebox.io/configuration": digest,
                    # Whose log is meant where none is named.
                    "kubectl.kubernetes.io/default-container": "gateway",
                    # The way to tier 2 is there before the first request.
                    "proxy.istio.io/config": '{"holdApplicationUntilProxyStarts": true}',
                    # It captures nothing: requests come in beside it, and go out by its one listener.
                    "sidecar.istio.io/interceptionMode": "NONE",
                },
            },
            "spec": _pod(platform, secrets, key_sets),
        },
    }


def _pod(platform: Platform, secrets: Sequence[str], key_sets: Sequence[str]) -> Object:
    components = train(platform.train).components
    gateway, envoy = components["ai-gateway-cli"], components["envoy"]
    envoy_image = images.envoy(platform)
    namespace = {"name": "NAMESPACE", "value": platform.cluster.namespace}
    placed = f"{_HOME}/data/envoy-versions/{envoy.version}/bin/envoy"
    home = {"name": "home", "mountPath": _HOME}
    objects_mount = {"name": "objects", "mountPath": _OBJECTS, "readOnly": True}
    prepare = _container(
        "prepare",
        envoy_image,
        ["sh", f"{_OBJECTS}/prepare.sh"],
        [home, objects_mount, *_mounts("credential", _SECRETS, secrets)],
        {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}},
        env=[namespace, {"name": "ENVOY", "value": placed}],
    )
    place = _container(
        _READER,
        envoy_image,
        ["sh", f"{_OBJECTS}/place.sh"],
        [
            home,
            objects_mount,
            {
                "name": "edge",
                "mountPath": f"{_REFERRED}/secrets/{certificates.EDGE}",
                "readOnly": True,
            },
            *_mounts("keys", f"{_REFERRED}/keys", key_sets),
        ],
        {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        env=[namespace],
    )
    run = _container(
        "gateway",
        images.address(platform, f"{gateway.image}:{gateway.version}"),
        [],
        [home, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a volume of its own
        {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        env=[
            {"name": "HOME", "value": _HOME},
            {"name": "OTEL_AIGW_METRICS_REQUEST_HEADER_ATTRIBUTES", "value": TENANT_ATTRIBUTE},
            *(
                {"name": f"AIGW_{name}", "value": f"{_HOME}/{path}"}
                for name, path in (
                    ("CONFIG_HOME", "config"),
                    ("DATA_HOME", "data"),
                    ("STATE_HOME", "state"),
                    ("RUNTIME_DIR", "run"),
                )
            ),
        ],
    )
    run |= {
        "args": ["run", _COMPLETE, "--run-id=0"],
        "ports": [
            {"name": name, "containerPort": port, "protocol": "TCP"}
            for name, port in (("https", PORT), ("metrics", METRICS_PORT))
        ],
        # It opens the port when Envoy has its configuration.
        "readinessProbe": {"tcpSocket": {"port": "https"}, "periodSeconds": 2},
        "restartPolicy": "Always",
    }
    place["lifecycle"] = {"preStop": {"exec": {"command": ["sh", f"{_OBJECTS}/drain.sh"]}}}
    volumes: list[Object] = [
        {"name": "objects", "configMap": {"name": naming.TIER1}},
        # Holds credentials of providers for as long as the pod lives.
        {"name": "home", "emptyDir": {"medium": "Memory", "sizeLimit": "512Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    volumes.append(
        {"name": "edge", "secret": {"secretName": certificates.EDGE, "defaultMode": 0o440}}
    )
    volumes += [
        {"name": f"credential-{place}", "secret": {"secretName": name, "defaultMode": 0o440}}
        for place, name in enumerate(secrets)
    ]
    volumes += [
        {"name": f"keys-{place}", "configMap": {"name": name}}
        for place, name in enumerate(key_sets)
    ]
    return {
        "serviceAccountName": naming.TIER1,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": longest_answer(platform) + _END_SECONDS,
        "securityContext": {
            **POD_SECURITY,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
        },
        "initContainers": [prepare, run],
        "containers": [place],
        "volumes": volumes,
    }


def longest_answer(platform: Platform) -> int:
    """Seconds for which an answer may go on when its pod is replaced, or its listener."""
    longest = max((model.serving.request_timeout_seconds for model in platform.models), default=0)
    return max(_MOST_DRAIN_SECONDS, math.ceil(longest))


def _mounts(kind: str, directory: str, names: Sequence[str]) -> list[Object]:
    return [
        {"name": f"{kind}-{place}", "mountPath": f"{directory}/{name}", "readOnly": True}
        for place, name in enumerate(names)
    ]


def _container(
    name: str,
    image: str,
    command: list[str],
    mounts: list[Object],
    resources: Object,
    env: list[Object],
) -> Object:
    container: Object = {
        "name": name,
        "image": image,
        "env": env,
        "resources": resources,
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": mounts,
    }
    return {**container, "command": command} if command else container


def _service(platform: Platform) -> Object:
    node_port = platform.cluster.service_type == "NodePort"
    port: Object = {
        "name": "https",
        "port": _HTTPS_PORT if node_port else platform.gateway.https_port,
        "targetPort": "https",
        "protocol": "TCP",
    }
    if node_port:
        port["nodePort"] = platform.gateway.https_port
    return {
        "type": platform.cluster.service_type,
        "selector": dict(naming.TIER1_LABELS),
        "ports": [port],
    }


def _network_policy(platform: Platform, make: Maker) -> Object:
    """Let callers in at the one port, and the gateway out to tier 2, and to providers and issuers elsewhere."""
    tier2 = network.peer(platform.cluster.namespace, naming.TIER2_LABELS)
    egress = [
        network.to_dns(),
        network.to_istiod(),
        {"to": [tier2], "ports": network.tcp(*naming.tier2_ports(platform))},
    ]
    if naming.traced(platform):
        egress.append(network.to_collector())
    ports = {provider.port for provider in platform.providers}
    if any(issuer.jwks_uri for issuer in platform.identity.issuers):
        ports.add(_HTTPS_PORT)
    if ports:
        egress.append(network.to_public(*sorted(ports)))
    ingress: list[Object] = [{"ports": network.tcp(PORT)}]
    if platform.observability.prometheus != "disabled":
        ingress.append(network.from_prometheus(METRICS_PORT))
    return network.policy(
        make,
        naming.TIER1,
        pods={"matchLabels": dict(naming.TIER1_LABELS)},
        ingress=ingress,
        egress=egress,
    )
