# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a target honours: nothing is accepted and ignored, and the table speaks of every key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    TABLE,
    load,
    not_installed,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.platform import (
    Platform,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory.problems import (
    fields_by_key,
    section_of,
)
from pydantic import BaseModel

from .sample import VALID, changed, problems

VERSION_2 = {"version": "2", "source": "python://samples/iris2"}
PROVIDER = {
    "name": "elsewhere",
    "kind": "openai",
    "secret": "elsewhere-key",
    "models": [{"name": "gpt-mini"}],
}

AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

CORP = {
    "name": "corp",
    "issuer": "https://idp.example.org",
    "jwks_uri": "https://idp.example.org/keys",
    "ca_file": "/srv/ca.pem",
    "audiences": ["inference"],
}

REFUSED_BY_LOCAL: dict[str, tuple[Any, ...]] = {
    "platform_observability.traces": ("jaeger",),
    "tenants[0].limits.tokens_per_minute": (1000,),
    "tenants[0].limits.tokens_per_month": (1000,),
    "tenants[0].limits.max_tokens_per_request": (1000,),
    "tenants[0].resources.gpu": (1,),
    "tenants[0].isolation": ("soft",),
    "tenants[0].roles.admin": (["group:admins"],),
    "tenants[0].roles.publisher": (["group:writers"],),
    "tenants[0].roles.viewer": (["group:readers"],),
    "models[0].framework": ("pytorch", "tensorflow", "onnx", "huggingface", "custom"),
    "models[0].source": ("gs://bucket/key", "oci://registry/model:1", "pvc://claim/path"),
    "models[0].versions": ([VERSION_2],),
    "models[0].source_secret": ("credentials",),
    "models[0].runtime": ("kserve-mlserver",),
    "models[0].transformer": ({"image": "registry.example.org/team/transformer:1.0"},),
    "models[0].serving.mode": ("knative",),
    "models[0].serving.replicas.min": (0,),
    "models[0].serving.replicas.max": (3,),
    "models[0].serving.autoscaler": ("hpa", "keda"),
    "models[0].serving.target_concurrency": (8,),
    "models[0].serving.idle_seconds": (60,),
    "models[0].serving.resources.gpu": (1,),
    "models[0].publish.public": (True,),
    "models[0].traffic.canary": ({"version": "2", "weight": 10},),
    "models[0].traffic.mirror": ("2",),
    "models[1].fallback": ("elsewhere/gpt-mini",),
    "platform_cluster.provider": ("kind", "k3s", "eks", "gke", "aks"),
    "platform_cluster.kubeconfig": ("/srv/kubeconfig",),
    "platform_cluster.context": ("admin@lab",),
    "platform_cluster.namespace": ("inference",),
    "platform_cluster.storage_class": ("fast",),
    "platform_cluster.provided": (["keda"],),
    "platform_cluster.ready_timeout": ("60s",),
    "platform_cluster.wait": (False,),
    "platform_bundle": ("/srv/bundle",),
    "platform_images.registry": ("registry.example.org",),
    "platform_images.source": ("built",),
    "platform_cluster.service_type": ("NodePort", "ClusterIP"),
    "platform_cluster.node": ({"network": "10.97.0.0/30"},),
    "platform_cluster.store_authorities": (AUTHORITY,),
    "platform_cluster.runtime_image": ("registry.example.org/inference/runtime:1",),
    "platform_engine.gateway": ("standalone",),
    "providers[0]": (PROVIDER,),
}
REFUSED_BY_KUBERNETES: dict[str, tuple[Any, ...]] = {
    "tenants[0].limits.max_tokens_per_request": (1000,),
    "tenants[0].limits.tokens_per_minute": (1000,),
    "tenants[0].limits.tokens_per_month": (1000,),
    "models[0].source": ("file:///srv/iris",),
    "models[0].checksum": (f"sha256:{'0' * 64}",),
    "models[0].publish.public": (True,),
    "platform_identity.issuers[0].algorithms": (["RS256"],),
    "platform_identity.issuers[0].jwks_uri": ("https://192.0.2.1/keys", "https://[2001:db8::1]/"),
    "platform_observability.prometheus_port": (9999,),
    "platform_observability.metrics_port": (9999,),
}
# What a setting needs beside itself for an inventory to be whole.
# What a registry, and images that are built, go together with.
ELSEWHERE = {
    "platform_engine.gateway": "standalone",
    "platform_observability.prometheus": "disabled",
    "platform_images.registry": "localhost/inferencebox",
}
NEEDED: dict[str, dict[str, Any]] = {
    "models[0].framework": {"models[0].runtime": "lab"},
    "models[0].versions": {"models[0].traffic.mirror": "2"},
    "models[0].source_secret": {"models[0].source": "s3://models/iris"},
    "models[0].traffic.canary": {"models[0].versions": [VERSION_2]},
    "models[0].traffic.mirror": {"models[0].versions": [VERSION_2]},
    "models[0].serving.autoscaler": {"models[0].serving.replicas.max": 3},
    "models[0].serving.target_concurrency": {"models[0].serving.replicas.max": 3},
    "models[0].serving.idle_seconds": {"models[0].serving.replicas.max": 3},
    "models[1].fallback": {"providers": [PROVIDER]},
    "providers[0]": {"models[1].fallback": "elsewhere/gpt-mini"},
    "platform_identity.issuers[0].algorithms": {"platform_identity": {"issuers": [CORP]}},
    "platform_identity.issuers[0].jwks_uri": {"platform_identity": {"issuers": [CORP]}},
    "platform_cluster.service_type": {"platform_gateway.https_port": 30443},
    "platform_cluster.node": {
        "platform_bundle": "/srv/bundle",
        "platform_gateway.https_port": 30443,
        "platform_cluster": {"provider": "node", "service_type": "NodePort"},
        "models[1].source": "pvc://models/model.gguf",
    },
    "platform_images.registry": ELSEWHERE,
    "platform_images.source": {**ELSEWHERE, "models[1].source": "pvc://models/model.gguf"},
}
REFUSED_BY_BOTH = {"tenants[0].limits.max_tokens_per_request", "models[0].publish.public"}
BY_LOCAL = [(path, value) for path, values in REFUSED_BY_LOCAL.items() for value in values]
BY_KUBERNETES = [(p, value) for p, values in REFUSED_BY_KUBERNETES.items() for value in values]


@pytest.mark.parametrize(("path", "value"), BY_LOCAL)
def test_local_refuses_with_the_reason(path: str, value: Any) -> None:
    # A generous tenant, so that nothing but the setting itself is wrong.
    raw = changed(
        {"tenants[0].resources": {}, "providers": [], **NEEDED.get(path, {}), path: value}
    )
    found = problems(raw)
    assert path in found
    assert "not supported by target local: " in found[path].message
    assert found[path].remedy


@pytest.mark.parametrize("written", [{"version": "2"}, {"version": "2", "weight": "x"}])
def test_a_refused_section_is_shown_as_it_is_written(written: dict[str, Any]) -> None:
    path = "models[0].traffic.canary"
    found = problems(changed({path: written, **NEEDED[path], "tenants[0].resources": {}}))
    assert found[path].value == written
    assert f"{path}.weight" in found


@pytest.mark.parametrize(("path", "value"), BY_KUBERNETES)
def test_kubernetes_refuses_with_the_reason(path: str, value: Any) -> None:
    raw = changed(
        {
            "platform_target": "kubernetes",
            "platform_engine": {"gateway": "standalone"},
            **NEEDED.get(path, {}),
            path: value,
        }
    )
    found = problems(raw)
    assert set(found) == {path}
    assert "not supported by target kubernetes: " in found[path].message
    assert found[path].remedy


@pytest.mark.parametrize(
    ("path", "value"), [case for case in BY_LOCAL if case[0] not in REFUSED_BY_BOTH]
)
def test_kubernetes_honours_what_local_refuses(path: str, value: Any) -> None:
    raw = changed(
        {
            "platform_target": "kubernetes",
            "tenants[0].resources": {"gpu": 9},
            "providers": [],
            **NEEDED.get(path, {}),
            path: value,
        }
    )
    assert problems(raw) == {}


@pytest.mark.parametrize(
    ("target", "tried"), [("local", REFUSED_BY_LOCAL), ("kubernetes", REFUSED_BY_KUBERNETES)]
)
def test_every_refusing_row_is_tried_above(target: str, tried: dict[str, Any]) -> None:
    settings = {path.replace("[0]", "[]").replace("[1]", "[]") for path in tried}
    settings = {"providers" if setting == "providers[]" else setting for setting in settings}
    assert {row.setting for row in TABLE if row.refusal(target)} == settings
    assert all(row.uses and row.remedy for row in TABLE if row.refused)


def test_a_wrong_target_has_nothing_refused() -> None:
    raw = changed({"platform_target": "kubernets", "models[0].source": "file:///srv/iris"})
    assert set(problems(raw)) == {"platform_target"}


def _keys(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    for key, field in fields_by_key(section).items():
        path = f"{prefix}.{key}".lstrip(".")
        inner = section_of(field.annotation)
        if inner is None:
            yield path
        else:
            yield from _keys(path + ("[]" if "tuple" in str(field.annotation) else ""), inner)


def test_the_table_speaks_of_every_key() -> None:
    settings = {row.setting for row in TABLE}
    missing = [
        key
        for key in _keys("", Platform)
        if not any(key == s or key.startswith((f"{s}.", f"{s}[")) for s in settings)
    ]
    assert missing == []


def test_what_is_rendered_and_not_installed_yet() -> None:
    changes = {"platform_target": "kubernetes"}
    raw = changed({**changes, "models[1].runtime": "llm-d", "models[1].source": "hf://owner/name"})
    assert problems(raw) == {}
    refused = problems(raw, installable=True)
    assert list(refused) == ["models[1].runtime"]
    assert all("is not installed yet" in problem.message for problem in refused.values())


def test_what_is_installed() -> None:
    assert list(not_installed(load(VALID))) == []
    assert problems(changed({"platform_target": "kubernetes"}), installable=True) == {}
