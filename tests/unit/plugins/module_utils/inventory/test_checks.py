# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the parts of an inventory fit together: each rule is broken once, and alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    load,
    unix_user,
)

from .sample import VALID, changed, problems

_CORP: dict[str, Any] = {
    "name": "corp",
    "issuer": "https://idp.example.org",
    "jwks_uri": "https://idp.example.org/keys",
    "audiences": ["inference"],
}


def test_the_sample_breaks_no_rule() -> None:
    assert problems(VALID) == {}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"tenants[1].name": "tenant-a"}, "tenants[1].name", "name of its own"),
        ({"models[1].tenant": "nobody"}, "models[1].tenant", "tenant-a, tenant-b"),
        ({"tenants[0].models.allow[2]": "ghost"}, "tenants[0].models.allow[2]", "chatty, iris"),
        ({"tenants[0].models.allow[2]": "iris"}, "tenants[0].models.allow[2]", "Remove it"),
        (
            {"tenants[0].models.allow[2]": "tenant-a/iris"},
            "tenants[0].models.allow[2]",
            "Remove it",
        ),
        ({"tenants[0].models.allow[1]": "chatty"}, "tenants[0].models.allow[1]", "tenant-b/chatty"),
        ({"tenants[0].models.allow": ["tenant-b/chatty"]}, "models[0].name", "nobody may call"),
        (
            {"models[0].serving.replicas": {"min": 2, "max": 1}},
            "models[0].serving.replicas.min",
            "more than max",
        ),
        ({"models[0].publish.apis": ["v1", "chat"]}, "models[0].publish.apis[1]", "v1, v2"),
        ({"models[0].publish.apis": ["v1", "v1"]}, "models[0].publish.apis[1]", "already"),
        ({"models[1].publish.apis": ["v2"]}, "models[1].publish.apis[0]", "completions"),
        ({"models[0].publish.example": {"rows": []}}, "models[0].publish.example", "instances"),
        ({"models[0].traffic.stable": "7"}, "models[0].traffic.stable", "version, which is 1"),
        ({"models[0].source": "https://host/iris"}, "models[0].checksum", "sha256:HEX"),
        ({"tenants[0].resources.cpu": "900m"}, "tenants[0].resources.cpu", "1 cores"),
        ({"tenants[0].resources.memory": "1Gi"}, "tenants[0].resources.memory", "2147483648"),
        ({"tenants[0].resources.pods": 1}, "tenants[0].resources.pods", "2 replicas"),
        (
            {"models[0].serving.resources.memory": None},
            "models[0].serving.resources.memory",
            "memory of tenant-a is limited",
        ),
        (
            {"platform_observability.metrics_port": 8443},
            "platform_observability.metrics_port",
            "platform_gateway.https_port",
        ),
        ({"platform_home": "/srv/" + "d" * 80}, "platform_home", "bytes shorter"),
    ],
)
def test_a_rule_that_is_broken(changes: dict[str, Any], path: str, words: str) -> None:
    found = problems(changed(changes))
    assert path in found
    assert words in f"{found[path].message}. {found[path].remedy}"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"issuer": None}, "issuer"),
        ({"audiences": []}, "audiences"),
        ({"jwks_uri": None}, "jwks_uri"),
        ({"jwks_uri": "ftp://idp.example.org/keys"}, "jwks_uri"),
        ({"jwks_uri": "http://idp.example.org/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://user:secret@idp.example.org/keys"}, "jwks_uri"),
        ({"jwks_uri": "https://idp.example.org:0x/keys"}, "jwks_uri"),
        ({"jwks_file": "/srv/keys.json"}, "jwks_file"),
        ({"jwks_uri": None, "jwks_file": "/srv/keys.json", "ca_file": "/srv/ca.pem"}, "ca_file"),
        ({"name": "builtin"}, "issuer"),
        ({"name": "keys"}, "name"),
        ({"issuer": "https://gateway.inference.localhost:8443"}, "issuer"),
        ({"issuer": "https://gateway.inference.localhost:8443/keys"}, "issuer"),
    ],
)
def test_an_issuer_that_could_not_be_trusted(change: dict[str, Any], key: str) -> None:
    raw = changed({"platform_identity": {"issuers": [{**_CORP, **change}]}})
    assert f"platform_identity.issuers[0].{key}" in problems(raw)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"ca_file": "/srv/ca.pem"},
        {"jwks_uri": None, "jwks_file": "/srv/keys.json"},
        {"jwks_uri": "http://127.0.0.1:9000/keys"},
        {"jwks_uri": "http://[::1]:9000/keys"},
    ],
)
def test_an_issuer_that_is_fine(change: dict[str, Any]) -> None:
    issuers = [{"name": "builtin"}, {**_CORP, **change}]
    assert problems(changed({"platform_identity": {"issuers": issuers}})) == {}


def test_two_issuers_of_one_name_or_one_url() -> None:
    issuers = [_CORP, {**_CORP, "issuer": "https://other.example.org"}, {**_CORP, "name": "more"}]
    found = problems(changed({"platform_identity": {"issuers": issuers}}))
    assert set(found) == {
        "platform_identity.issuers[1].name",
        "platform_identity.issuers[2].issuer",
    }


def test_two_models_of_one_name() -> None:
    again = {**VALID["models"][0], "tenant": "tenant-b"}
    raw = changed({"models[2]": again, "tenants[1].models.allow[1]": "iris"})
    assert list(problems(raw)) == ["models[2].name"]


def test_unix_users_have_room_and_differ() -> None:
    assert unix_user("demo", "t-tenant-a") == "ib-demo-t-tenant-a"
    long = [unix_user("demo", f"t-{'x' * 38}{end}") for end in "ab"]
    assert len(set(long)) == 2
    assert all(len(name) == 31 for name in long)


def test_two_tenants_that_would_be_one_unix_user() -> None:
    long = "a-tenant-with-a-very-long-name"
    user = unix_user("demo", f"t-{long}")
    twin = user.removeprefix("ib-demo-t-")
    assert unix_user("demo", f"t-{twin}") == user
    found = problems(changed({"tenants[2]": {"name": long}, "tenants[3]": {"name": twin}}))
    assert list(found) == ["tenants[3].name"]
    assert long in found["tenants[3].name"].message


def test_a_kubernetes_home_may_be_long() -> None:
    raw = changed({"platform_target": "kubernetes", "platform_home": "/srv/" + "d" * 80})
    assert load(raw).target == "kubernetes"
