# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every rule of the lint: objects in which it bites, and the same objects put right."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import objects
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes.lint import (
    RULES,
    lint,
)

from .. import sample


@dataclass(frozen=True)
class Case:
    """Objects as YAML; `wrong` is replaced by `right` to put them right.

    Attributes:
        rule: The rule that bites.
        object: The object that it names.
        path: Where in it.
        text: The objects, with what is wrong in them.
        wrong: A part of the text.
        right: What it must be instead.
    """

    rule: str
    object: str
    path: str
    text: str
    wrong: str
    right: str


GATEWAY = """
{kind: Gateway, metadata: {name: edge, namespace: system}, spec: {listeners: [{name: https, port: 443}]}}
---
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: system}
spec:
  targetRefs: [{kind: Gateway, name: edge}]
  headers: {earlyRequestHeaders: {remove: [x-ai-eg-model, X-Tenant-Id]}}
---
kind: SecurityPolicy
metadata: {name: edge, namespace: system}
spec:
  targetRefs: [{kind: Gateway, name: edge}]
  jwt: {providers: [{name: idp, claimToHeaders: [{claim: tenant, header: x-tenant-id}]}]}
"""
AI_ROUTE = """
---
kind: AIGatewayRoute
metadata: {name: models, namespace: system}
spec:
  parentRefs: [{name: edge}]
  llmRequestCosts: [{metadataKey: total, type: TotalToken}]
  rules: [{backendRefs: [{name: chat}]}]
---
kind: AIServiceBackend
metadata: {name: chat, namespace: system}
spec: {backendRef: {kind: Backend, name: chat}}
---
kind: Backend
metadata: {name: chat, namespace: system}
spec: {endpoints: [{fqdn: {hostname: localhost, port: 1}}]}
"""
SERVICE = """
kind: InferenceService
metadata:
  name: iris
  namespace: tenant-a
  annotations:
    serving.kserve.io/deploymentMode: MODE
spec: SPEC
"""


def service(mode: str, spec: str, *annotations: str) -> str:
    text = SERVICE.replace("MODE", mode).replace("SPEC", spec)
    extra = "".join(f"\n    serving.kserve.io/{each}" for each in annotations)
    return text.replace(f"Mode: {mode}", f"Mode: {mode}{extra}")


CASES = [
    Case(
        "policy-without-target",
        "BackendTrafficPolicy system/limits",
        "spec.targetRefs[0]",
        GATEWAY
        + """
---
kind: BackendTrafficPolicy
metadata: {name: limits, namespace: system}
spec: {targetRefs: [{kind: Gateway, name: edgy}]}
""",
        "name: edgy",
        "name: edge",
    ),
    Case(
        "policy-without-target",
        "BackendTrafficPolicy tenant-a/limits",
        "spec.targetRefs[0]",
        GATEWAY
        + """
---
kind: BackendTrafficPolicy
metadata: {name: limits, namespace: tenant-a}
spec: {targetRefs: [{kind: Gateway, name: edge}]}
""",
        "namespace: tenant-a",
        "namespace: system",
    ),
    Case(
        "policy-without-target",
        "BackendTrafficPolicy system/limits",
        "spec.targetRefs[0].sectionName",
        GATEWAY
        + """
---
kind: BackendTrafficPolicy
metadata: {name: limits, namespace: system}
spec: {targetRefs: [{kind: Gateway, name: edge, sectionName: http}]}
""",
        "sectionName: http}",
        "sectionName: https}",
    ),
    Case(
        "selector-without-target",
        "SecurityPolicy system/all",
        "spec.targetSelectors[0]",
        """
kind: EnvoyProxy
metadata: {name: edge, namespace: system}
spec: {provider: {type: Host}}
---
kind: GatewayClass
metadata: {name: edge}
spec: {parametersRef: {name: edge, namespace: system}}
---
kind: Gateway
metadata: {name: edge, namespace: system, labels: {tier: one}}
---
kind: SecurityPolicy
metadata: {name: all, namespace: system}
spec: {targetSelectors: [{kind: Gateway, matchLabels: {tier: one}}]}
""",
        "targetSelectors: [{kind: Gateway, matchLabels: {tier: one}}]",
        "targetRefs: [{kind: Gateway, name: edge}]",
    ),
    Case(
        "selector-without-target",
        "SecurityPolicy system/all",
        "spec.targetSelectors[0]",
        """
kind: Gateway
metadata: {name: edge, namespace: system, labels: {tier: one}}
---
kind: SecurityPolicy
metadata: {name: all, namespace: system}
spec: {targetSelectors: [{kind: Gateway, matchLabels: {tier: two}}]}
""",
        "tier: two",
        "tier: one",
    ),
    Case(
        "hidden-policy",
        "BackendTrafficPolicy system/iris",
        "spec.targetRefs[0]",
        GATEWAY
        + """
---
kind: BackendTrafficPolicy
metadata: {name: edge, namespace: system}
spec: {targetRefs: [{kind: Gateway, name: edge}]}
---
kind: HTTPRoute
metadata: {name: iris, namespace: system}
spec: {parentRefs: [{name: edge}]}
---
kind: BackendTrafficPolicy
metadata: {name: iris, namespace: system}
spec: {targetRefs: [{kind: HTTPRoute, name: iris}], retry: {numRetries: 1}}
""",
        "retry:",
        "mergeType: StrategicMerge, retry:",
    ),
    Case(
        "identity-on-generated-route",
        "SecurityPolicy system/models",
        "spec.targetRefs[0]",
        GATEWAY
        + AI_ROUTE
        + """
---
kind: SecurityPolicy
metadata: {name: models, namespace: system}
spec: {mergeType: StrategicMerge, targetRefs: [{kind: HTTPRoute, name: models}]}
""",
        "{kind: HTTPRoute, name: models}",
        "{kind: Gateway, name: edge}",
    ),
    Case(
        "limit-by-unverified-header",
        "BackendTrafficPolicy system/edge",
        "spec.rateLimit.global.rules[0].clientSelectors[0].headers[0]",
        GATEWAY
        + """
---
kind: BackendTrafficPolicy
metadata: {name: edge, namespace: system}
spec:
  targetRefs: [{kind: Gateway, name: edge}]
  rateLimit: {global: {rules: [{clientSelectors: [{headers: [{name: x-customer, type: Distinct}]}]}]}}
""",
        "x-customer",
        "x-tenant-id",
    ),
    Case(
        "header-from-client",
        "SecurityPolicy system/edge",
        "spec.jwt.providers[0].claimToHeaders[0]",
        GATEWAY.replace(", X-Tenant-Id", ""),
        "[x-ai-eg-model]",
        "[x-ai-eg-model, x-tenant-id]",
    ),
    Case(
        "header-from-client",
        "AIGatewayRoute system/models",
        "spec.parentRefs",
        GATEWAY.replace("x-ai-eg-model, ", "") + AI_ROUTE,
        "[X-Tenant-Id]",
        "[X-Tenant-Id, x-ai-eg-model]",
    ),
    Case(
        "model-read-before-identity",
        "BackendTrafficPolicy system/edge",
        "spec.responseOverride",
        GATEWAY.replace(
            "spec: {listeners", "spec: {infrastructure: {parametersRef: {name: edge}}, listeners"
        )
        + AI_ROUTE
        + """
---
kind: EnvoyProxy
metadata: {name: edge, namespace: system}
spec: {filterOrder: []}
---
kind: BackendTrafficPolicy
metadata: {name: edge, namespace: system}
spec: {targetRefs: [{kind: Gateway, name: edge}], responseOverride: [{}]}
""",
        "filterOrder: []",
        "filterOrder: [{name: envoy.filters.http.custom_response, after: envoy.filters.http.jwt_authn}]",
    ),
    Case(
        "cost-without-source",
        "BackendTrafficPolicy system/edge",
        "spec.rateLimit.global.rules[0].cost.response",
        GATEWAY
        + AI_ROUTE
        + """
---
kind: BackendTrafficPolicy
metadata: {name: edge, namespace: system}
spec:
  targetRefs: [{kind: Gateway, name: edge}]
  rateLimit:
    global:
      rules: [{cost: {response: {metadata: {namespace: io.envoy.ai_gateway, key: totals}}}}]
""",
        "key: totals",
        "key: total",
    ),
    Case(
        "quota-ignored",
        "QuotaPolicy system/chat",
        "spec.perModelQuotas[0].modelName",
        GATEWAY
        + AI_ROUTE.replace("{name: chat}]}]", "{name: chat, modelNameOverride: big}]}]")
        + """
---
kind: QuotaPolicy
metadata: {name: chat, namespace: system}
spec:
  targetRefs: [{kind: AIServiceBackend, name: chat}]
  perModelQuotas: [{modelName: small, quota: {}}]
""",
        "modelName: small",
        "modelName: big",
    ),
    Case(
        "quota-ignored",
        "QuotaPolicy system/chat",
        "spec.serviceQuota",
        GATEWAY
        + AI_ROUTE
        + """
---
kind: QuotaPolicy
metadata: {name: chat, namespace: system}
spec: {targetRefs: [{kind: AIServiceBackend, name: chat}], serviceQuota: {}}
""",
        ", serviceQuota: {}",
        "",
    ),
    Case(
        "token-optional",
        "RequestAuthentication tenant-a/callers",
        "spec.jwtRules",
        """
kind: RequestAuthentication
metadata: {name: callers, namespace: tenant-a}
spec: {jwtRules: [{issuer: me}]}
---
kind: AuthorizationPolicy
metadata: {name: callers, namespace: tenant-a}
spec: {rules: [{from: [{source: {namespaces: [system]}}]}]}
""",
        "namespaces: [system]",
        'requestPrincipals: ["*"]',
    ),
    Case(
        "policy-read-twice",
        "BackendTLSPolicy system/idp",
        "metadata.annotations",
        """
{kind: Backend, metadata: {name: idp, namespace: system}}
---
{kind: PeerAuthentication, metadata: {name: default, namespace: system}}
---
kind: BackendTLSPolicy
metadata: {name: idp, namespace: system}
spec: {targetRefs: [{kind: Backend, name: idp}]}
""",
        "kind: BackendTLSPolicy\nmetadata: {",
        'kind: BackendTLSPolicy\nmetadata: {annotations: {istio.io/ignore-policy-attachment: "true"}, ',
    ),
    Case(
        "backend-without-object",
        "AIGatewayRoute system/models",
        "spec.rules[0].backendRefs[0]",
        GATEWAY + AI_ROUTE.replace("[{name: chat}]", "[{name: chats}]"),
        "name: chats",
        "name: chat",
    ),
    Case(
        "backend-without-object",
        "AIServiceBackend system/chat",
        "spec.backendRef",
        GATEWAY + AI_ROUTE.replace("kind: Backend, name: chat", "kind: Backend, name: chats"),
        "name: chats",
        "name: chat",
    ),
    Case(
        "destination-without-service",
        "VirtualService tenant-a/iris",
        "spec.http[0].route[0].destination.host",
        service("Standard", "{predictor: {}}")
        + """
---
kind: VirtualService
metadata: {name: iris, namespace: tenant-a}
spec: {http: [{route: [{destination: {host: irises-predictor.tenant-a.svc.cluster.local}}]}]}
""",
        "irises-predictor",
        "iris-predictor",
    ),
    Case(
        "reference-without-grant",
        "HTTPRoute system/iris",
        "spec.rules[0].backendRefs[0]",
        GATEWAY
        + """
---
kind: HTTPRoute
metadata: {name: iris, namespace: system}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: iris, namespace: tenant-a}]}]}
---
kind: ReferenceGrant
metadata: {name: system, namespace: tenant-a}
spec:
  from: [{group: gateway.networking.k8s.io, kind: GRPCRoute, namespace: system}]
  to: [{group: "", kind: Service}]
""",
        "kind: GRPCRoute",
        "kind: HTTPRoute",
    ),
    Case(
        "reference-without-grant",
        "Gateway system/edge",
        "spec.listeners[0].tls.certificateRefs[0]",
        """
kind: Gateway
metadata: {name: edge, namespace: system}
spec: {listeners: [{name: https, tls: {certificateRefs: [{name: edge, namespace: certificates}]}}]}
""",
        ", namespace: certificates",
        "",
    ),
    Case(
        "route-not-admitted",
        "HTTPRoute tenant-a/iris",
        "spec.parentRefs[0]",
        GATEWAY
        + """
---
kind: HTTPRoute
metadata: {name: iris, namespace: tenant-a}
spec: {parentRefs: [{name: edge, namespace: system}]}
""",
        "port: 443}",
        "port: 443, allowedRoutes: {namespaces: {from: All}}}",
    ),
    Case(
        "route-not-admitted",
        "HTTPRoute system/iris",
        "spec.parentRefs[0]",
        GATEWAY
        + """
---
kind: HTTPRoute
metadata: {name: iris, namespace: system}
spec: {parentRefs: [{name: edgy}]}
""",
        "edgy",
        "edge",
    ),
    Case(
        "plain-route-under-ai-filter",
        "HTTPRoute system/iris",
        "metadata.name",
        GATEWAY
        + AI_ROUTE
        + """
---
kind: HTTPRoute
metadata: {name: iris, namespace: system}
spec: {parentRefs: [{name: edge}]}
""",
        "name: iris",
        "name: ai-eg-mcp-iris",
    ),
    Case(
        "priority-lost",
        "AIGatewayRoute system/models",
        "spec.rules[0].backendRefs[0].priority",
        GATEWAY.replace(
            "spec: {listeners", "spec: {infrastructure: {parametersRef: {name: edge}}, listeners"
        )
        + AI_ROUTE.replace("[{name: chat}]", "[{name: chat, priority: 1}]").replace(
            "fqdn: {hostname: localhost, port: 1}", "ip: {address: 127.0.0.1, port: 1}"
        )
        + """
---
kind: EnvoyProxy
metadata: {name: edge, namespace: system}
spec: {provider: {type: Host}}
""",
        "ip: {address: 127.0.0.1, port: 1}",
        "fqdn: {hostname: localhost, port: 1}",
    ),
    Case(
        "host-claimed-twice",
        "VirtualService tenant-b/iris",
        "spec.hosts",
        """
kind: VirtualService
metadata: {name: iris, namespace: tenant-a}
spec: {gateways: [system/tier2], hosts: [iris.example.org]}
---
kind: VirtualService
metadata: {name: iris, namespace: tenant-b}
spec: {gateways: [system/tier2], hosts: [iris.example.org]}
""",
        "namespace: tenant-b}\nspec: {gateways: [system/tier2], hosts: [iris",
        "namespace: tenant-b}\nspec: {gateways: [system/tier2], hosts: [rose",
    ),
    Case(
        "proxy-unreferenced",
        "EnvoyProxy system/edge",
        "metadata.name",
        """
kind: EnvoyProxy
metadata: {name: edge, namespace: system}
---
kind: Gateway
metadata: {name: edge, namespace: system}
spec: {infrastructure: {parametersRef: {kind: EnvoyProxy, name: edgy}}}
""",
        "edgy",
        "edge",
    ),
    Case(
        "proxy-unreferenced",
        "EnvoyProxy system/edge",
        "spec.mergeBackends",
        GATEWAY.replace(
            "spec: {listeners", "spec: {infrastructure: {parametersRef: {name: edge}}, listeners"
        )
        + AI_ROUTE
        + """
---
kind: EnvoyProxy
metadata: {name: edge, namespace: system}
spec: {mergeBackends: true}
""",
        "mergeBackends: true",
        "",
    ),
    Case(
        "mode-implicit",
        "InferenceService tenant-a/iris",
        "metadata.annotations[serving.kserve.io/deploymentMode]",
        service("Serverless", "{predictor: {}}"),
        "Serverless",
        "Knative",
    ),
    Case(
        "canary-ignored",
        "InferenceService tenant-a/iris",
        "spec.predictor.canaryTrafficPercent",
        service("Standard", "{predictor: {canaryTrafficPercent: 10}}"),
        "Standard",
        "Knative",
    ),
    Case(
        "canary-ignored",
        "InferenceService tenant-a/iris",
        "spec.canary",
        service("Knative", "{predictor: {}, canary: [{predictor: {name: canary}}]}"),
        "Knative",
        "Standard",
    ),
    Case(
        "canary-ignored",
        "InferenceService tenant-a/iris",
        "spec.canary",
        service("Standard", "{predictor: {}, transformer: {}, canary: [{predictor: {name: c}}]}"),
        "transformer: {}, ",
        "",
    ),
    Case(
        "canary-not-split",
        "InferenceService tenant-a/iris",
        "spec.canary[0].trafficPercent",
        service("Standard", "{predictor: {}, canary: [{predictor: {name: canary}}]}")
        + """
---
kind: VirtualService
metadata: {name: iris, namespace: tenant-a}
spec: {http: [{route: [{destination: {host: iris-predictor.tenant-a.svc.cluster.local}}]}]}
""",
        "host: iris-predictor",
        "host: iris-canary-predictor",
    ),
    Case(
        "scaling-ignored",
        "InferenceService tenant-a/iris",
        "metadata.annotations[serving.kserve.io/autoscalerClass]",
        service("Knative", "{predictor: {}}", "autoscalerClass: hpa"),
        "Mode: Knative",
        "Mode: Standard",
    ),
    Case(
        "scaling-ignored",
        "InferenceService tenant-a/iris",
        "spec.predictor.minReplicas",
        service("Standard", "{predictor: {minReplicas: 0}}", "autoscalerClass: hpa"),
        "minReplicas: 0",
        "minReplicas: 1",
    ),
    Case(
        "scaling-ignored",
        "InferenceService tenant-a/iris",
        "metadata.annotations[serving.kserve.io/autoscalerClass]",
        service("Standard", "{predictor: {}}", "autoscalerClass: keda"),
        "predictor: {}",
        "predictor: {autoScaling: {metrics: [{}]}}",
    ),
    Case(
        "scaling-ignored",
        "InferenceService tenant-a/iris",
        "metadata.annotations[serving.kserve.io/autoscalerClass]",
        service("Standard", "{predictor: {}}", "autoscalerClass: external")
        + """
---
kind: ScaledObject
metadata: {name: iris, namespace: tenant-b}
spec: {scaleTargetRef: {name: iris-predictor}}
""",
        "namespace: tenant-b",
        "namespace: tenant-a",
    ),
    Case(
        "scaling-ignored",
        "InferenceService tenant-a/iris",
        "spec.predictor.annotations[autoscaling.knative.dev/window]",
        service("Knative", "{predictor: {annotations: {autoscaling.knative.dev/window: 5s}}}"),
        "5s",
        "6s",
    ),
    Case(
        "runtime-without-object",
        "InferenceService tenant-a/iris",
        "spec.predictor.model.runtime",
        service("Standard", "{predictor: {model: {runtime: inferencebox-llamacpp}}}")
        + """
---
{kind: ServingRuntime, metadata: {name: inferencebox-llamacpp, namespace: tenant-b}}
""",
        "namespace: tenant-b",
        "namespace: tenant-a",
    ),
    Case(
        "name-not-admitted",
        f"InferenceService tenant-a/{'i' * 64}",
        "metadata.name",
        service("Standard", "{}").replace("name: iris", f"name: {'i' * 64}"),
        "i" * 64,
        "i" * 50,
    ),
    Case(
        "name-not-admitted",
        "Backend tenant-a/Iris",
        "metadata.name",
        "{kind: Backend, metadata: {name: Iris, namespace: tenant-a}}",
        "Iris",
        "iris",
    ),
    Case(
        "name-not-admitted",
        "Backend tenant-a/iris",
        "metadata.labels[version]",
        f"{{kind: Backend, metadata: {{name: iris, namespace: tenant-a, labels: {{version: {'v' * 64}}}}}}}",
        "v" * 64,
        "v" * 63,
    ),
    Case(
        "made-name-too-long",
        f"InferenceService tenant-a/{'i' * 54}",
        "metadata.name",
        service("Standard", "{predictor: {}}").replace("name: iris", f"name: {'i' * 54}"),
        "i" * 54,
        "i" * 53,
    ),
    Case(
        "name-taken-twice",
        "HTTPRoute system/models",
        "metadata.name",
        GATEWAY
        + AI_ROUTE
        + """
---
{kind: HTTPRoute, metadata: {name: models, namespace: system}}
""",
        "{kind: HTTPRoute, metadata: {name: models",
        "{kind: HTTPRoute, metadata: {name: others",
    ),
    Case(
        "name-taken-twice",
        "InferenceService tenant-a/iris-canary",
        "metadata.name",
        service("Standard", "{predictor: {}, canary: [{predictor: {name: canary}}]}")
        + "---"
        + service("Standard", "{predictor: {}}").replace("name: iris", "name: iris-canary"),
        "name: iris-canary",
        "name: iris-two",
    ),
    Case(
        "name-taken-twice",
        "Backend tenant-b/iris",
        "metadata.name",
        """
kind: EnvoyProxy
metadata: {name: edge, namespace: system}
spec: {provider: {type: Host}}
---
kind: Gateway
metadata: {name: edge, namespace: system}
spec: {infrastructure: {parametersRef: {name: edge}}}
---
{kind: Backend, metadata: {name: iris, namespace: tenant-a}}
---
{kind: Backend, metadata: {name: iris, namespace: tenant-b}}
""",
        "type: Host",
        "type: Kubernetes",
    ),
    Case(
        "host-too-long",
        "VirtualService tenant-a/iris",
        "spec.hosts[0]",
        f"""
kind: VirtualService
metadata: {{name: iris, namespace: tenant-a}}
spec: {{hosts: [{"h" * 64}.example.org]}}
""",
        "h" * 64,
        "h" * 63,
    ),
]


def loaded(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.path}")
def test_a_rule_bites_and_lets_go(case: Case) -> None:
    (found,) = lint(loaded(case.text))
    assert (found.rule, found.object, found.path) == (case.rule, case.object, case.path)
    assert found.reason
    assert found.remedy.endswith(".")
    assert case.rule in str(found)
    assert case.wrong in case.text
    assert lint(loaded(case.text.replace(case.wrong, case.right))) == []


def test_every_rule_has_a_case() -> None:
    names = {rule.__name__.replace("_", "-") for rule in RULES}
    assert names == {case.rule for case in CASES}


@pytest.mark.parametrize("platform", [sample.full, sample.small])
def test_what_the_platform_renders_is_clean(platform: Any) -> None:
    assert lint(objects(platform())) == []


def test_a_model_on_llm_d_is_clean_and_has_no_route_of_ours() -> None:
    raw = copy.deepcopy(sample.FULL)
    raw["models"][2] = {
        "name": "chatty",
        "tenant": "tenant-b",
        "framework": "llm",
        "runtime": "llm-d",
        "source": "hf://owner/name",
    }
    made = objects(load(raw))
    assert lint(made) == []
    routes = {one["metadata"]["name"] for one in made if one["kind"] == "VirtualService"}
    assert routes == {"iris", "wine"}
