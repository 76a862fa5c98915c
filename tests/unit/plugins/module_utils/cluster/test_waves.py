# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order in which kinds come: who guards before who is guarded."""

from __future__ import annotations

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.objects import Key
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.waves import wave

GATEWAY = "gateway.networking.k8s.io"


def of(group: str, kind: str) -> int:
    return wave(Key(group, kind, "", "any"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("", "Namespace"), ("", "ServiceAccount")),
        (("apiextensions.k8s.io", "CustomResourceDefinition"), (GATEWAY, "GatewayClass")),
        (("", "ResourceQuota"), ("apps", "Deployment")),
        (("networking.k8s.io", "NetworkPolicy"), ("apps", "Deployment")),
        (("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "RoleBinding")),
        (("", "Secret"), ("apps", "Deployment")),
        (("", "ConfigMap"), ("serving.kserve.io", "InferenceService")),
        (("cert-manager.io", "Issuer"), ("cert-manager.io", "Certificate")),
        (("gateway.envoyproxy.io", "SecurityPolicy"), (GATEWAY, "Gateway")),
        (("gateway.envoyproxy.io", "SecurityPolicy"), (GATEWAY, "HTTPRoute")),
        (
            ("gateway.envoyproxy.io", "SecurityPolicy"),
            ("aigateway.envoyproxy.io", "AIGatewayRoute"),
        ),
        (("security.istio.io", "AuthorizationPolicy"), ("serving.kserve.io", "InferenceService")),
        (("security.istio.io", "PeerAuthentication"), ("networking.istio.io", "VirtualService")),
        ((GATEWAY, "ReferenceGrant"), (GATEWAY, "HTTPRoute")),
        (("serving.kserve.io", "ServingRuntime"), ("serving.kserve.io", "InferenceService")),
        (("serving.kserve.io", "InferenceService"), ("serving.kserve.io", "InferenceGraph")),
        (
            ("aigateway.envoyproxy.io", "AIServiceBackend"),
            ("aigateway.envoyproxy.io", "AIGatewayRoute"),
        ),
        (("networking.istio.io", "DestinationRule"), ("networking.istio.io", "VirtualService")),
        (("networking.istio.io", "VirtualService"), ("networking.istio.io", "EnvoyFilter")),
        (("example.com", "Unknown"), (GATEWAY, "HTTPRoute")),
        (
            ("apps", "Deployment"),
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ),
        (
            ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
            ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ),
    ],
)
def test_the_first_comes_before_the_second(first: tuple[str, str], second: tuple[str, str]) -> None:
    assert of(*first) < of(*second)
