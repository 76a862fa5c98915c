# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is measured, shown and warned of: monitors, rules, dashboards, and the collector of traces.

Figures come from what all proxies have, Envoy's own counters, and from tier 1's AI filter, which follows
OpenTelemetry's GenAI conventions. Recording rules give them the platform's labels, tenant and model; the
dashboards and alerts speak of these alone. Nothing here holds a prompt or an answer.
"""

from __future__ import annotations

import json

from ..inventory import NAMESPACES, Platform
from . import alerting, keda, naming, prometheus
from .dashboards import Panel, dashboard
from .gateway_pod import METRICS_PORT
from .manifests import to_yaml
from .objects import Maker, Object

_API = "monitoring.coreos.com/v1"
_INTERVAL, _QUICK_INTERVAL = "15s", "5s"
_ENVOY_PATH = "/stats/prometheus"
# Tier 1: https://gateway.envoyproxy.io (19001), https://aigateway.envoyproxy.io (1064)
_TIER1_PROXY, _TIER1_AI = 19001, METRICS_PORT
# Istio: 15090 is the proxy's own, 15020 the workload's merged with it, which no container names.
_PROXY, _MERGED = 15090, 15020
# https://github.com/cert-manager/cert-manager, deploy/charts/cert-manager/values.yaml: prometheus
_CERT_MANAGER = 9402

# A model's Service as tier 2's clusters name it. KServe's canaries and mirrors count as their model's.
_CLUSTER = r"outbound\\|\\d+\\|\\|(.+?)(?:-canary|-mirror)?-(?:predictor|transformer)[.](.+)[.]svc[.]cluster[.]local"


def objects(platform: Platform) -> list[Object]:
    """Make monitors, rules, dashboards and the collector's configuration.

    Returns:
        Nothing where `platform_observability.prometheus` is disabled.
    """
    if platform.observability.prometheus == "disabled":
        return []
    make = Maker(platform)
    made = [
        *_monitors(platform, make),
        make.namespaced(f"{_API} PrometheusRule", "inferencebox", {"spec": _rules(platform)}),
    ]
    if prometheus.is_own(platform):
        # Neither Grafana nor a collector is there.
        own = prometheus.objects(platform, _scraped(platform))
        return [*made, *own, *(keda.allowed(platform) if keda.is_needed(platform) else [])]
    return [*made, *_dashboards(make), _collector(platform)]


def _scraped(platform: Platform) -> list[str]:
    """Namespaces of what the monitors choose."""
    tier1, _ = naming.tier1_pods(platform)
    components = (NAMESPACES["istio"], NAMESPACES["cert_manager"])
    tenants = (tenant.name for tenant in platform.tenants)
    alerts = NAMESPACES["monitoring"]
    return list(dict.fromkeys((tier1, platform.cluster.namespace, *components, alerts, *tenants)))


def _monitors(platform: Platform, make: Maker) -> list[Object]:
    namespace, pods = naming.tier1_pods(platform)
    tenants = [tenant.name for tenant in platform.tenants]
    # Elsewhere the chart that brings Prometheus reads it.
    states = [_states_monitor(make)] if prometheus.is_own(platform) else []
    tier1 = [_endpoint(_TIER1_AI, "/metrics")]
    if platform.engine.gateway == "controller":
        tier1.insert(0, _endpoint(_TIER1_PROXY, _ENVOY_PATH))
    by_name = {"matchLabels": pods}
    models = {"matchExpressions": [{"key": naming.SERVICE_LABEL, "operator": "Exists"}]}
    # Who asked for a model that has no replica has tier 2's figures to thank that one starts.
    quickly = {"interval": _QUICK_INTERVAL} if keda.is_needed(platform) else {}
    return [
        *states,
        _pod_monitor(make, naming.TIER1, [namespace], by_name, tier1),
        _pod_monitor(
            make,
            naming.TIER2,
            [platform.cluster.namespace],
            {"matchLabels": dict(naming.TIER2_LABELS)},
            [_endpoint(_PROXY, _ENVOY_PATH) | quickly],
        ),
        _pod_monitor(
            make, "models", tenants, models, [_endpoint(_PROXY, _ENVOY_PATH, _model_labels())]
        ),
        _pod_monitor(
            make,
            "cert-manager",
            [NAMESPACES["cert_manager"]],
            {"matchLabels": dict.fromkeys(("app", "app.kubernetes.io/name"), "cert-manager")},
            # Its figures name the certificates' own namespace.
            [{**_endpoint(_CERT_MANAGER, "/metrics"), "honorLabels": True}],
        ),
        make.namespaced(
            f"{_API} ServiceMonitor",
            "istiod",
            {
                "spec": {
                    "namespaceSelector": {"matchNames": [NAMESPACES["istio"]]},
                    "selector": {"matchLabels": {"istio": "pilot"}},
                    "endpoints": [{"port": "http-monitoring", "interval": _INTERVAL}],
                }
            },
        ),
    ]


def _states_monitor(make: Maker) -> Object:
    return _pod_monitor(
        make,
        alerting.STATES,
        [NAMESPACES["monitoring"]],
        {"matchLabels": {"app.kubernetes.io/name": alerting.STATES}},
        # Its figures name the namespaces of what they are about.
        [{**_endpoint(alerting.STATES_PORT, "/metrics"), "honorLabels": True}],
    )


def _endpoint(port: int, path: str, relabelings: list[Object] | None = None) -> Object:
    found: Object = {"portNumber": port, "path": path, "interval": _INTERVAL}
    if relabelings:
        found["relabelings"] = relabelings
    return found


def _pod_monitor(
    make: Maker, name: str, namespaces: list[str], selector: Object, endpoints: list[Object]
) -> Object:
    spec = {
        "namespaceSelector": {"matchNames": namespaces},
        "selector": selector,
        "podMetricsEndpoints": endpoints,
    }
    return make.namespaced(f"{_API} PodMonitor", name, {"spec": spec})


def _model_labels() -> list[Object]:
    label = "__meta_kubernetes_pod_label_serving_kserve_io_inferenceservice"
    return [
        {"sourceLabels": ["__meta_kubernetes_namespace"], "targetLabel": "tenant"},
        {"sourceLabels": [label], "targetLabel": "model"},
        {
            "sourceLabels": ["__address__"],
            "regex": f"(.+):{_PROXY}",
            "replacement": f"$1:{_MERGED}",
            "targetLabel": "__address__",
        },
    ]


# -- rules ---------------------------------------------------------------------------------------------


def _rules(platform: Platform) -> Object:
    return {
        "groups": [
            {"name": "inferencebox.figures", "interval": "30s", "rules": _figures(platform)},
            {"name": "inferencebox.alerts", "rules": _alerts(platform)},
        ]
    }


def _figures(platform: Platform) -> list[Object]:
    tier2 = f'job="{platform.cluster.namespace}/{naming.TIER2}"'
    tier1 = f'job="{platform.cluster.namespace}/{naming.TIER1}"'
    mine = f'cluster_name=~"outbound.*(predictor|transformer)[.].*", {tier2}'
    # Istio's proxies take the class out of the name, as they do with the code. tools/packaging/common/envoy_bootstrap.json
    by_class = f'response_code_class!="", {mine}'
    by_model = "gen_ai_request_model"
    return [
        _record(
            "tenant_model_class:inferencebox_requests:rate5m",
            "sum by (tenant, model, response_code_class) ("
            + _named(f"rate(envoy_cluster_upstream_rq{{{by_class}}}[5m])")
            + ")",
        ),
        _record(
            "tenant_model_le:inferencebox_request_milliseconds:rate5m",
            "sum by (tenant, model, le) ("
            + _named(f"rate(envoy_cluster_upstream_rq_time_bucket{{{mine}}}[5m])")
            + ")",
        ),
        _record(
            "tenant_model_type:gen_ai_client_token_usage:rate5m",
            f"sum by (tenant_id, {by_model}, gen_ai_token_type) "
            f"(rate(gen_ai_client_token_usage_sum{{{tier1}}}[5m]))",
        ),
        _record(
            "model_le:gen_ai_server_time_to_first_token:rate5m",
            f"sum by ({by_model}, le) "
            f"(rate(gen_ai_server_time_to_first_token_seconds_bucket{{{tier1}}}[5m]))",
        ),
        _record(
            "model_le:gen_ai_server_time_per_output_token:rate5m",
            f"sum by ({by_model}, le) "
            f"(rate(gen_ai_server_time_per_output_token_seconds_bucket{{{tier1}}}[5m]))",
        ),
    ]


def _named(expression: str) -> str:
    """Give tier 2's figures of a model's Service the labels model and tenant."""
    model = f'label_replace({expression}, "model", "$1", "cluster_name", "{_CLUSTER}")'
    return f'label_replace({model}, "tenant", "$2", "cluster_name", "{_CLUSTER}")'


def _record(name: str, expression: str) -> Object:
    return {"record": name, "expr": expression}


def _alerts(platform: Platform) -> list[Object]:
    namespace = platform.cluster.namespace
    tenants = "|".join(tenant.name for tenant in platform.tenants)
    requests = "tenant_model_class:inferencebox_requests:rate5m"
    total = f"sum by (tenant, model) ({requests})"
    failed = f'sum by (tenant, model) ({requests}{{response_code_class="5xx"}})'
    available = f'kube_deployment_status_replicas_available{{namespace=~"{tenants}"}}'
    wanted = f'kube_deployment_spec_replicas{{namespace=~"{tenants}"}}'
    expiry = f'certmanager_certificate_expiration_timestamp_seconds{{namespace="{namespace}"}}'
    quota = 'kube_resourcequota{{namespace=~"{0}", type="{1}"}}'
    used = (
        f"{quota.format(tenants, 'used')} / ignoring (type) ({quota.format(tenants, 'hard')} > 0)"
    )
    return [
        *(
            _alert(
                f"Inferencebox{tier.capitalize()}Down",
                f'absent(up{{job="{namespace}/{tier}"}} == 1)',
                "2m",
                "critical",
                f"No proxy of {tier} answers.",
            )
            for tier in (naming.TIER1, naming.TIER2)
        ),
        _alert(
            "InferenceboxConfigurationRejected",
            "sum(increase(pilot_total_xds_rejects[10m])) > 0",
            "1m",
            "critical",
            "A proxy of the mesh refuses its configuration: policies written since then do not act.",
        ),
        _alert(
            "InferenceboxModelUnavailable",
            f"{available} == 0 and {wanted} > 0",
            "5m",
            "warning",
            "{{ $labels.deployment }} of {{ $labels.namespace }} should run and does not.",
        ),
        _alert(
            "InferenceboxModelFails",
            f"{failed} / {total} > 0.05",
            "10m",
            "warning",
            "More than 5 % of the requests to {{ $labels.model }} of {{ $labels.tenant }} fail.",
        ),
        _alert(
            "InferenceboxCertificateExpires",
            f"{expiry} - time() < 14 * 86400",
            "1h",
            "warning",
            "The certificate {{ $labels.name }} ends in less than 14 days and was not renewed.",
        ),
        _alert(
            "InferenceboxQuotaNearlyUsed",
            f"{used} > 0.9",
            "15m",
            "info",
            "{{ $labels.namespace }} uses more than 90 % of its {{ $labels.resource }}.",
        ),
    ]


def _alert(name: str, expression: str, after: str, severity: str, summary: str) -> Object:
    return {
        "alert": name,
        "expr": expression,
        "for": after,
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }


# -- dashboards ----------------------------------------------------------------------------------------


_REPLICAS = (
    'kube_deployment_status_replicas_available{namespace=~"$tenant", deployment=~".+-predictor.*"}'
)


def _dashboards(make: Maker) -> list[Object]:
    requests = "tenant_model_class:inferencebox_requests:rate5m"
    mine = 'tenant=~"$tenant"'
    times = f"tenant_model_le:inferencebox_request_milliseconds:rate5m{{{mine}}}"
    tokens = "tenant_model_type:gen_ai_client_token_usage:rate5m"
    made = {
        "models": dashboard(
            f"inferencebox-{make.platform.name}-models",
            f"{make.platform.name}: tenants and models",
            [
                Panel(
                    "Requests",
                    [(f"sum by (tenant, model) ({requests}{{{mine}}})", "{{tenant}} {{model}}")],
                    "reqps",
                ),
                Panel(
                    "Failed requests",
                    [
                        (
                            f'sum by (tenant, model) ({requests}{{{mine}, response_code_class="5xx"}})',
                            "{{tenant}} {{model}}",
                        )
                    ],
                    "reqps",
                ),
                Panel(
                    "Time of a request",
                    [
                        (_quantile(share, "tenant, model", times), f"p{share} {{{{model}}}}")
                        for share in (50, 95)
                    ],
                    "ms",
                ),
                Panel(
                    "Replicas that answer",
                    [
                        (
                            _REPLICAS,
                            "{{namespace}} {{deployment}}",
                        )
                    ],
                    "none",
                ),
            ],
            [("tenant", f"label_values({requests}, tenant)")],
        ),
        "language-models": dashboard(
            f"inferencebox-{make.platform.name}-llm",
            f"{make.platform.name}: language models",
            [
                Panel(
                    "Tokens",
                    [
                        (
                            f"sum by (gen_ai_request_model, gen_ai_token_type) ({tokens})",
                            "{{gen_ai_request_model}} {{gen_ai_token_type}}",
                        )
                    ],
                    "none",
                ),
                Panel(
                    "Tokens by tenant",
                    [(f"sum by (tenant_id) ({tokens})", "{{tenant_id}}")],
                    "none",
                ),
                *(
                    Panel(
                        title,
                        [
                            (
                                _quantile(share, "gen_ai_request_model", f"model_le:{name}:rate5m"),
                                f"p{share} {{{{gen_ai_request_model}}}}",
                            )
                            for share in (50, 95)
                        ],
                        "s",
                    )
                    for title, name in (
                        ("Time to the first token", "gen_ai_server_time_to_first_token"),
                        ("Time for each further token", "gen_ai_server_time_per_output_token"),
                    )
                ),
            ],
        ),
    }
    return [
        make.namespaced(
            "v1 ConfigMap",
            f"dashboard-{topic}",
            {"data": {f"{topic}.json": json.dumps(model, indent=2) + "\n"}},
            labels={"grafana_dashboard": "1"},
        )
        for topic, model in made.items()
    ]


def _quantile(share: int, by: str, buckets: str) -> str:
    return f"histogram_quantile({share / 100}, sum by ({by}, le) ({buckets}))"


# -- traces --------------------------------------------------------------------------------------------

# Attributes in which instrumentation of language models may put what people wrote, and credentials.
_PRIVATE = (
    r"^(gen_ai\.(prompt|completion|input|output)|llm\.(input|output)_messages|input\.value|output\.value"
    r"|http\.(request|response)\.header\.(authorization|x-api-key|cookie|set-cookie)).*"
)


def _collector(platform: Platform) -> Object:
    """Configure the collector: takes spans of both tiers and the models, drops what is private, hands on."""
    monitoring = NAMESPACES["monitoring"]
    config = {
        "extensions": {"health_check": {"endpoint": "${env:MY_POD_IP}:13133"}},
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "${env:MY_POD_IP}:4317"}}}},
        "processors": {
            "memory_limiter": {
                "check_interval": "1s",
                "limit_percentage": 80,
                "spike_limit_percentage": 20,
            },
            "attributes/private": {"actions": [{"pattern": _PRIVATE, "action": "delete"}]},
            "batch": {},
        },
        "exporters": {
            "otlp/traces": {
                "endpoint": f"jaeger.{monitoring}.svc.cluster.local:4317",
                "tls": {"insecure": True},
            }
        },
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "attributes/private", "batch"],
                    "exporters": ["otlp/traces"],
                }
            },
        },
    }
    # The key under which the collector's chart mounts a ConfigMap that it did not make.
    return Maker(platform, namespace=monitoring).namespaced(
        "v1 ConfigMap", "otel-collector", {"data": {"relay": to_yaml([config])}}
    )
