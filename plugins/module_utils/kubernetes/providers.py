# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services elsewhere as backends of tier 1: where they are, what they speak, with which credentials."""

from __future__ import annotations

from ..inventory import Platform, Provider, ProviderModel
from . import naming
from .gateway_names import (
    AI_GROUP,
    CREDENTIAL_HEADERS,
    ENVOY_GROUP,
    MODEL_HEADER,
    backend_reference,
)
from .objects import Maker, Object

# Longest silence of a provider; a stream is not bounded otherwise.
IDLE_SECONDS = 300

_SCHEMAS = {
    "openai": "OpenAI",
    "azure": "AzureOpenAI",
    "bedrock": "AWSBedrock",
    "vertex": "GCPVertexAI",
    "anthropic": "Anthropic",
}


def objects(platform: Platform) -> list[Object]:
    """Make the backends of all providers, each with its credentials by reference."""
    return [made for provider in platform.providers for made in _provider(platform, provider)]


def backend(provider: Provider, model: ProviderModel) -> Object:
    """Refer to a provider's model from a rule of an AIGatewayRoute."""
    reference: Object = {"name": naming.of_provider(provider)}
    if model.upstream_name != model.name:
        reference["modelNameOverride"] = model.upstream_name
    return reference


def rule(provider: Provider, model: ProviderModel) -> Object:
    """Make the rule of an AIGatewayRoute for a provider's model."""
    header = {"type": "Exact", "name": MODEL_HEADER, "value": model.name}
    return {
        "name": model.name,
        "matches": [{"headers": [header]}],
        "backendRefs": [backend(provider, model)],
        "timeouts": {"request": "0s"},
        "streamIdleTimeout": f"{IDLE_SECONDS}s",
    }


def _provider(platform: Platform, provider: Provider) -> list[Object]:
    make = Maker(platform)
    name = naming.of_provider(provider)
    endpoint = {"fqdn": {"hostname": provider.endpoint, "port": provider.port}}
    own_backend = backend_reference(name)
    return [
        make.namespaced(
            f"{ENVOY_GROUP}/v1alpha1 Backend", name, {"spec": {"endpoints": [endpoint]}}
        ),
        make.namespaced(
            "gateway.networking.k8s.io/v1 BackendTLSPolicy",
            name,
            {
                "spec": {
                    "targetRefs": [own_backend],
                    "validation": {
                        "hostname": provider.endpoint,
                        "wellKnownCACertificates": "System",
                    },
                }
            },
            # Istio reads these policies as well, and this one is not for it.
            annotations={"istio.io/ignore-policy-attachment": "true"},
        ),
        make.namespaced(
            f"{AI_GROUP}/v1beta1 AIServiceBackend",
            name,
            {
                "spec": {
                    "schema": _schema(provider),
                    "backendRef": own_backend,
                    # A caller's credential is for the platform. The provider's comes after this.
                    "headerMutation": {"remove": list(CREDENTIAL_HEADERS)},
                }
            },
        ),
        make.namespaced(
            f"{AI_GROUP}/v1beta1 BackendSecurityPolicy",
            name,
            {
                "spec": {
                    "targetRefs": [{"group": AI_GROUP, "kind": "AIServiceBackend", "name": name}],
                    **_credentials(provider),
                }
            },
        ),
    ]


def _schema(provider: Provider) -> Object:
    schema: Object = {"name": _SCHEMAS[provider.kind]}
    if provider.api_version is not None:
        schema["version"] = provider.api_version
    if provider.prefix is not None:
        schema["prefix"] = provider.prefix
    return schema


def _credentials(provider: Provider) -> Object:
    """Say how a provider is paid: each kind has its own block, and no other may stand beside it."""
    secret = {"secretRef": {"group": "", "kind": "Secret", "name": provider.secret}}
    if provider.kind == "bedrock":
        block = {"region": provider.region, "credentialsFile": secret}
        return {"type": "AWSCredentials", "awsCredentials": block}
    if provider.kind == "vertex":
        block = {
            "projectName": provider.project,
            "region": provider.region,
            "credentialsFile": secret,
        }
        return {"type": "GCPCredentials", "gcpCredentials": block}
    kind, key = {
        "openai": ("APIKey", "apiKey"),
        "azure": ("AzureAPIKey", "azureAPIKey"),
        "anthropic": ("AnthropicAPIKey", "anthropicAPIKey"),
    }[provider.kind]
    return {"type": kind, key: secret}
