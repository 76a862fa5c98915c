# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tier 1 as rendered, in the real Envoy AI Gateway, judged by requests.

Level L3 of docs/architecture.md: what the objects mean is decided by the proxy that they configure. Needs root
(a network namespace) and the packages of `make gateway`; without them the tests say so and are skipped.

Where upstream cannot do what the platform promises, a test states what happens instead; its name starts with
`test_difference`.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import (
    gateway,
    gateway_pod,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes.certificates import (
    EDGE,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes.gateway_names import (
    ApiKey,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import standalone_gateway
from .signer import Signer
from .standalone_gateway import Answer, Gateway, Object

pytestmark = [
    pytest.mark.proves("L3", "tier1-standalone"),
    pytest.mark.skipif(
        standalone_gateway.programs() is None or os.geteuid() != 0 or shutil.which("curl") is None,
        reason="needs root, curl and the packages of make gateway",
    ),
]

NAMESPACE = "inferencebox-system"
HOST = "gateway.inference.test"
BASE_URL = f"https://{HOST}:{gateway_pod.PORT}"
TIER2, PROVIDER = 8443, 9443
PREDICT = {"instances": [[1.0]]}

INVENTORY: dict[str, Any] = {
    "platform_name": "demo",
    "platform_target": "kubernetes",
    "platform_domain": "inference.test",
    "platform_gateway": {"https_port": gateway_pod.PORT, "max_request_bytes": 65536},
    "platform_engine": {"gateway": "standalone"},
    "platform_identity": {
        "issuers": [
            {"name": "builtin"},
            {
                "name": "corp",
                "issuer": "https://idp.test",
                "jwks_file": "/etc/idp.json",
                "audiences": ["inference"],
                "tenant_claim": "org",
            },
        ]
    },
    "tenants": [
        {
            "name": "tenant-a",
            "models": {"allow": ["iris", "chat-model", "embedder", "broken", "cloud/big"]},
        },
        {"name": "tenant-b", "models": {"allow": ["wine", "tenant-a/iris", "hasty", "terse"]}},
        {
            "name": "tenant-c",
            "models": {"allow": ["slow"]},
            "limits": {"requests_per_minute": 3},
        },
    ],
    "models": [
        {
            "name": "iris",
            "tenant": "tenant-a",
            "framework": "sklearn",
            "source": "s3://models/iris",
        },
        {
            "name": "wine",
            "tenant": "tenant-b",
            "framework": "xgboost",
            "source": "s3://models/wine",
            "publish": {"apis": ["v2"]},
        },
        {
            "name": "chat-model",
            "tenant": "tenant-a",
            "framework": "llm",
            "source": "hf://o/chat",
            "publish": {"apis": ["chat", "completions", "messages"]},
        },
        {
            "name": "embedder",
            "tenant": "tenant-a",
            "framework": "huggingface",
            "source": "hf://o/embedder",
            "publish": {"apis": ["embeddings"]},
        },
        {
            "name": "broken",
            "tenant": "tenant-a",
            "framework": "llm",
            "source": "hf://o/broken",
            "fallback": "cloud/big",
        },
        {
            "name": "slow",
            "tenant": "tenant-c",
            "framework": "sklearn",
            "source": "s3://models/slow",
        },
        {
            "name": "hasty",
            "tenant": "tenant-b",
            "framework": "sklearn",
            "source": "s3://models/hasty",
            "serving": {"request_timeout": "1s"},
        },
        {
            "name": "terse",
            "tenant": "tenant-b",
            "framework": "llm",
            "source": "hf://o/terse",
            "serving": {"request_timeout": "1s"},
        },
    ],
    "providers": [
        {
            "name": "cloud",
            "kind": "openai",
            "host": "localhost",
            "port": PROVIDER,
            "secret": "cloud-key",
            "models": [{"name": "big", "upstream": "big-2026"}],
        }
    ],
}


BUILTIN = Signer(BASE_URL, BASE_URL, "tenant")
KEYS = Signer(f"{BASE_URL}/keys", BASE_URL, "tenant")
CORP = Signer("https://idp.test", "inference", "org")
STRANGER = Signer(BASE_URL, BASE_URL, "tenant")


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def caller(tenant: str) -> dict[str, str]:
    return bearer(BUILTIN.token(tenant))


def chat(model: str = "chat-model", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}


def seen(answer: Answer) -> dict[str, Any]:
    """What reached the model server, from its answer."""
    assert answer.status == 200, answer
    body = answer.json()
    report: dict[str, Any] = (
        json.loads(body["choices"][0]["message"]["content"]) if "choices" in body else body
    )
    return report


def _certificate(directory: Path) -> tuple[Path, str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(HOST), x509.DNSName("localhost")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    (directory / "tls.key").write_text(private, encoding="utf-8")
    (directory / "ca.crt").write_text(made, encoding="utf-8")
    return directory / "ca.crt", made, private


def _made(kind: str, name: str, **body: Any) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **body}


def _encoded(**texts: str) -> dict[str, str]:
    return {
        name.replace("_", "."): base64.b64encode(text.encode()).decode()
        for name, text in texts.items()
    }


def _referred(certificate: str, key: str) -> list[Object]:
    """What the roles make and Envoy Gateway reads."""
    return [
        _made(
            "Secret",
            EDGE,
            type="kubernetes.io/tls",
            data=_encoded(tls_crt=certificate, tls_key=key),
        ),
        _made("ConfigMap", "authority", data={"ca.crt": certificate}),
        *(
            _made("ConfigMap", f"issuer-{name}", data={"jwks": signer.key_set()})
            for name, signer in (("builtin", BUILTIN), ("keys", KEYS), ("corp", CORP))
        ),
    ]


def _objects() -> list[Object]:
    """Tier 1 as rendered, and the provider's credential, which the AI Gateway reads.

    The provider is one of ours, so its certificate is vouched for by the test's authority instead of the
    system's.
    """
    objects = gateway.configuration(load(INVENTORY), [ApiKey("valid", "tenant-a")])
    for made in objects:
        if made["kind"] == "BackendTLSPolicy":
            validation = made["spec"]["validation"]
            del validation["wellKnownCACertificates"]
            authority = {"group": "", "kind": "ConfigMap", "name": "authority"}
            validation["caCertificateRefs"] = [authority]
    return [*objects, _made("Secret", "cloud-key", data=_encoded(apiKey="paid-by-us"))]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("gateway")
    authority, certificate, key = _certificate(directory)
    provider = [str(PROVIDER), str(authority), str(directory / "tls.key")]
    with standalone_gateway.running(
        directory,
        _objects(),
        _referred(certificate, key),
        host=HOST,
        port=gateway_pod.PORT,
        backends=[[str(TIER2)], provider],
        authority=authority,
    ) as running:
        yield running


# -- who is let in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        caller("tenant-a"),
        bearer(CORP.token("tenant-a")),
        bearer(KEYS.token("tenant-a", jti="valid")),
        {"x-api-key": KEYS.token("tenant-a", jti="valid")},
    ],
    ids=["builtin", "corp", "key", "x-api-key"],
)
def test_every_kind_of_identity_is_let_in(edge: Gateway, headers: dict[str, str]) -> None:
    assert seen(edge.request("POST", "/v1/chat/completions", chat(), headers))
    assert seen(edge.request("POST", "/v1/models/iris:predict", PREDICT, headers))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("nonsense"),
        bearer(STRANGER.token("tenant-a")),
        bearer(BUILTIN.token("tenant-a", exp=1)),
        bearer(CORP.token("tenant-a", iss="https://other.test")),
        {"x-api-key": BUILTIN.token("tenant-a")},
        {"x-tenant-id": "tenant-a"},
    ],
    ids=["none", "nonsense", "stranger", "expired", "issuer", "token-as-key", "header"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/models/iris:predict"),
        ("GET", "/v2/models/iris/ready"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/iris"),
        ("GET", "/anything"),
    ],
)
def test_nobody_else_is(edge: Gateway, headers: dict[str, str], method: str, path: str) -> None:
    body = chat() if method == "POST" else None
    answer = edge.request(method, path, body, headers)
    assert answer.status == 401
    assert "error" in answer.json()
    assert answer.headers["x-request-id"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_health_needs_no_identity(edge: Gateway) -> None:
    answer = edge.request("GET", "/healthz")
    assert (answer.status, answer.body) == (200, "")


# -- claim x model -----------------------------------------------------------------------------------------

OWN = {
    "tenant-a": {"iris", "chat-model", "embedder", "broken", "big"},
    "tenant-b": {"wine", "iris", "hasty", "terse"},
    "tenant-c": {"slow"},
}
CALLS = {
    "iris": ("/v1/models/iris:predict", PREDICT),
    "wine": ("/v2/models/wine/infer", {"inputs": []}),
    "chat-model": ("/v1/chat/completions", chat()),
    "embedder": ("/v1/embeddings", {"model": "embedder", "input": "hi"}),
}
SPOOFED: list[dict[str, str]] = [
    {},
    {"x-tenant-id": "{owner}"},
    {"x-ai-eg-model": "{model}"},
    {"x-ai-eg-model": "{model}", "x-tenant-id": "{owner}", "x-user-id": "root"},
]


@pytest.mark.parametrize("spoofed", SPOOFED, ids=["plain", "tenant", "model", "all"])
@pytest.mark.parametrize("model", CALLS)
@pytest.mark.parametrize("tenant", ["tenant-a", "tenant-b"])
def test_a_tenant_reaches_its_models_and_no_other(
    edge: Gateway, tenant: str, model: str, spoofed: dict[str, str]
) -> None:
    owner = "tenant-b" if model == "wine" else "tenant-a"
    forged = {name: value.format(owner=owner, model=model) for name, value in spoofed.items()}
    path, body = CALLS[model]
    answer = edge.request("POST", path, body, {**forged, **caller(tenant)})
    if model in OWN[tenant]:
        report = seen(answer)["headers"]
        assert report["x-tenant-id"] == tenant
        assert report["x-user-id"] == "someone"
        assert report["host"] == f"{model}.{owner}.inference.test"
    else:
        assert answer.status == 404
        error = answer.json()["error"]
        assert (
            error if path.startswith(("/v1/models", "/v2")) else error["code"] == "model_not_found"
        )


def test_a_body_cannot_name_another_model_than_its_header(edge: Gateway) -> None:
    forged = {"x-ai-eg-model": "chat-model", **caller("tenant-a")}
    answer = edge.request("POST", "/v1/embeddings", {"model": "embedder", "input": "hi"}, forged)
    assert seen(answer)["headers"]["host"] == "embedder.tenant-a.inference.test"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", chat("nothing")),
        ("/v1/embeddings", {"model": "chat-model", "input": "hi"}),
        ("/v1/models/nothing:predict", PREDICT),
        ("/v1/models/wine:predict", PREDICT),
        ("/v2/models/iris/../wine/infer", {}),
        ("/v2/models/iris/%2e%2e/wine/infer", {}),
        ("/v2/models/iris%2f..%2fwine/infer", {}),
        ("/v1/models/iris:predict/x", PREDICT),
    ],
)
def test_what_is_not_published_does_not_exist(edge: Gateway, path: str, body: Any) -> None:
    answer = edge.request("POST", path, body, caller("tenant-a"))
    assert answer.status in (400, 404)
    assert "8443" not in answer.body


def test_a_key_that_is_not_listed_reaches_nothing(edge: Gateway) -> None:
    headers = {"x-api-key": KEYS.token("tenant-a", jti="revoked")}
    assert edge.request("POST", "/v1/chat/completions", chat(), headers).status == 404
    headers = {"x-api-key": KEYS.token("tenant-b", jti="valid")}
    assert edge.request("POST", "/v2/models/wine/infer", {}, headers).status == 404


def test_nothing_behind_the_gateway_sees_a_credential(edge: Gateway) -> None:
    headers = {**caller("tenant-a"), "cookie": "secret=1", "x-forwarded-client-cert": "By=me"}
    for path, body in (CALLS["iris"], CALLS["chat-model"]):
        report = seen(edge.request("POST", path, body, headers))["headers"]
        hidden = {"authorization", "x-api-key", "cookie", "x-forwarded-client-cert"}
        assert hidden.isdisjoint(report)


# -- what is asked and answered ----------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", OWN)
def test_the_list_of_models_is_the_callers_own(edge: Gateway, tenant: str) -> None:
    answer = edge.request(
        "GET", "/v1/models", headers={**caller(tenant), "x-tenant-id": "tenant-b"}
    )
    assert {card["id"] for card in answer.json()["data"]} == OWN[tenant]
    for model in (*CALLS, "slow", "hasty", "big"):
        card = edge.request("GET", f"/v1/models/{model}", headers=caller(tenant))
        assert card.status == (200 if model in OWN[tenant] else 404), model


def test_a_runtimes_prefix_and_path_are_kept(edge: Gateway) -> None:
    paths = {
        model: seen(edge.request("POST", *CALLS[model], caller("tenant-a")))["path"]
        for model in ("iris", "chat-model", "embedder")
    }
    assert paths == {
        "iris": "/v1/models/iris:predict",
        "chat-model": "/v1/chat/completions",
        "embedder": "/openai/v1/embeddings",
    }


def test_a_query_is_kept(edge: Gateway) -> None:
    answer = edge.request("GET", "/v2/models/iris/ready?x=1", headers=caller("tenant-a"))
    assert seen(answer)["path"] == "/v2/models/iris/ready?x=1"


def test_a_stream_comes_through(edge: Gateway) -> None:
    body = chat(stream=True, stream_options={"include_usage": True})
    answer = edge.request("POST", "/v1/chat/completions", body, caller("tenant-a"))
    assert answer.status == 200
    assert answer.body.count("data: ") == 5
    assert answer.body.rstrip().endswith("data: [DONE]")


def test_anthropics_messages_reach_the_model_as_chat(edge: Gateway) -> None:
    body = {"model": "chat-model", "max_tokens": 8, "messages": [{"role": "user", "content": "hi"}]}
    answer = edge.request("POST", "/anthropic/v1/messages", body, caller("tenant-a"))
    assert answer.status == 200
    assert answer.json()["type"] == "message"
    assert "/v1/chat/completions" in answer.json()["content"][0]["text"]


def test_a_model_servers_own_errors_stay_its_own(edge: Gateway) -> None:
    body = {"say": {"status": 503}}
    answer = edge.request("POST", "/v1/models/iris:predict", body, caller("tenant-a"))
    assert answer.status == 503
    assert answer.json()["path"] == "/v1/models/iris:predict"


def test_a_body_that_is_no_json_is_malformed(edge: Gateway) -> None:
    answer = edge.request("POST", "/v1/chat/completions", headers=caller("tenant-a"), raw=b"{")
    assert answer.status == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/models/iris:predict", "/v1/chat/completions"])
def test_a_body_can_be_too_large(edge: Gateway, path: str) -> None:
    body = chat(padding="x" * 200_000)
    answer = edge.request("POST", path, body, caller("tenant-a"))
    assert answer.status == 413
    assert "error" in answer.json()


def test_a_limit_says_when_there_is_room_again(edge: Gateway) -> None:
    answers = [
        edge.request("POST", "/v1/models/slow:predict", PREDICT, caller("tenant-c"))
        for _ in range(5)
    ]
    assert [answer.status for answer in answers][:3] == [200] * 3
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) > 0
    assert refused[0].headers["x-ratelimit-limit"].startswith("3")
    assert "retry-after" not in answers[0].headers


def test_a_limit_is_the_tenants_alone(edge: Gateway) -> None:
    for _ in range(5):
        assert edge.request("POST", *CALLS["iris"], caller("tenant-b")).status == 200


def test_an_answer_can_take_too_long(edge: Gateway) -> None:
    body = {"say": {"sleep": 3}, "instances": []}
    answer = edge.request("POST", "/v1/models/hasty:predict", body, caller("tenant-b"))
    assert answer.status == 504
    assert answer.json() == {"error": "The model did not answer in time."}


def test_a_silent_stream_can_take_too_long(edge: Gateway) -> None:
    body = chat("terse", say={"sleep": 3})
    answer = edge.request("POST", "/v1/chat/completions", body, caller("tenant-b"))
    assert answer.status == 504
    assert answer.json()["error"]["code"] == "timeout"


# -- models elsewhere --------------------------------------------------------------------------------------


def test_a_providers_model_is_called_by_its_own_name_and_credential(edge: Gateway) -> None:
    report = seen(edge.request("POST", "/v1/chat/completions", chat("big"), caller("tenant-a")))
    assert report["port"] == PROVIDER
    assert report["body"]["model"] == "big-2026"
    assert report["headers"]["authorization"] == "Bearer paid-by-us"


def test_a_fallback_answers_for_a_model_that_cannot(edge: Gateway) -> None:
    report = seen(edge.request("POST", "/v1/chat/completions", chat("broken"), caller("tenant-a")))
    assert report["port"] == PROVIDER
    assert report["body"]["model"] == "big-2026"
    assert report["headers"]["authorization"] == "Bearer paid-by-us"


# -- where upstream does otherwise -------------------------------------------------------------------------


def test_difference_a_token_for_somebody_else_reads_as_no_such_model(edge: Gateway) -> None:
    """Envoy answers 403 to a wrong audience, as it does to a tenant without the model; 401 is promised."""
    headers = bearer(BUILTIN.token("tenant-a", aud="another"))
    for path, body in (CALLS["iris"], CALLS["chat-model"]):
        assert edge.request("POST", path, body, headers).status == 404
    assert edge.request("GET", "/v1/models", headers=headers).status == 404


def test_difference_a_limit_answers_in_plain_text(edge: Gateway) -> None:
    """Its headers say everything; a body in the caller's protocol would cost them."""
    for _ in range(4):
        answer = edge.request("POST", "/v1/models/slow:predict", PREDICT, caller("tenant-c"))
    assert answer.status == 429
    assert answer.headers["content-type"] == "text/plain"


def test_difference_a_body_without_model_reads_as_no_such_model(edge: Gateway) -> None:
    """400 is promised."""
    answer = edge.request("POST", "/v1/chat/completions", {"messages": []}, caller("tenant-a"))
    assert answer.status == 404


def test_anthropics_errors_have_its_form(edge: Gateway) -> None:
    body = {"model": "nothing", "max_tokens": 8, "messages": []}
    answer = edge.request("POST", "/anthropic/v1/messages", body, caller("tenant-a"))
    assert answer.status == 404
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == "not_found_error"
    nobody = edge.request("POST", "/anthropic/v1/messages", body, {})
    assert (nobody.status, nobody.json()["type"]) == (401, "error")


def test_difference_a_token_without_expiry_is_let_in(edge: Gateway) -> None:
    """Nothing in a SecurityPolicy demands one; tokens of the platform's own issuer always expire."""
    headers = bearer(BUILTIN.token("tenant-a", exp=None))
    assert edge.request("POST", *CALLS["iris"], headers).status == 200
