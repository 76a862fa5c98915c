# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of one machine: against golden files that a person can read, and what must hold of any plan.

`python -m pytest tests/unit/plugins/module_utils/local --write-golden` writes them anew; read the diff.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path, PurePosixPath

import pytest
import yaml
from ansible_collections.inferencebox.platform.plugins.filter.local_plan import PARTS
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load, to_vars
from ansible_collections.inferencebox.platform.plugins.module_utils.local.plan import LocalPlan

from . import sample
from .sample import ARTIFACTS, HOSTS, NEEDS, Json, plan

GOLDEN = Path(__file__).parent / "golden"
JWKS: Json = {"builtin": {"keys": [sample.JWK]}, "keys": {"keys": [sample.JWK]}}
CORP = {
    "name": "corp",
    "issuer": "https://idp.example.org",
    "jwks_uri": "https://idp.example.org/keys",
    "ca_file": "/etc/corp.pem",
    "jwks_refresh": "1h",
    "audiences": ["inference"],
    "algorithms": ["PS256"],
    "tenant_claim": "org",
}


def readable(node: t.Any) -> t.Any:
    """The same, with the JSON that files hold as data."""
    if isinstance(node, dict):
        return {key: readable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [readable(value) for value in node]
    if isinstance(node, str) and node.startswith(("{", "[")):
        return json.loads(node)
    return node


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("part", NEEDS)
def test_a_part_is_the_golden_one(host: str, part: str, request: pytest.FixtureRequest) -> None:
    made = readable(getattr(plan(host=host), part)(**NEEDS[part]))
    if part == "records":
        # It holds the whole inventory, of which another test tells; a new key of it is none of the plan.
        (inventory,) = [row for row in made if row["path"].endswith("/inventory.json")]
        inventory["content"] = "the inventory"
    path = GOLDEN / host / f"{part}.yml"
    if request.config.getoption("--write-golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("---\n" + yaml.safe_dump(made, width=120), encoding="utf-8")
    assert made == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_part_is_golden() -> None:
    assert set(NEEDS) == set(PARTS) - {"tier1", "tier2"}
    kept = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*.yml")}
    assert kept == {f"{host}/{part}.yml" for host in HOSTS for part in NEEDS}


def _directories(made: LocalPlan) -> dict[str, Json]:
    return {row["path"]: row for row in made.directories()}


def _written(made: LocalPlan) -> list[str]:
    """Paths of all that a run writes below the platform's home."""
    replicas = made.replicas(ARTIFACTS)
    prometheus = made.prometheus("/usr/bin/prometheus")
    return [
        *(row["path"] for row in replicas["files"] + prometheus["files"]),
        *(row["path"] for row in made.endpoints(sample.LIVE) + made.targets(sample.LIVE)),
        *(row["path"] for row in made.records(["inferencebox"], {})),
        *(row["path"] + ".key" for row in made.certificates()),
        *(row[key] for row in made.credentials() for key in ("server_file", "gateway_file")),
        *(row[key] for row in _programs(made) for key in ("stdout_log", "stderr_log")),
        *(row["socket"] for row in replicas["rows"]),
    ]


def _programs(made: LocalPlan) -> list[Json]:
    prometheus = made.prometheus("/usr/bin/prometheus")
    return [*made.gateways(), *made.replicas(ARTIFACTS)["programs"], *prometheus["programs"]]


@pytest.mark.parametrize("host", HOSTS)
def test_everything_is_written_into_a_directory_of_the_plan(host: str) -> None:
    made = plan(host=host)
    known = list(_directories(made))
    assert known[0] == "/srv/demo"
    for path in known[1:]:
        assert str(PurePosixPath(path).parent) in known[: known.index(path)], path
    for path in _written(made):
        assert str(PurePosixPath(path).parent) in known, path


def test_every_owner_is_made_before_and_only_by_root() -> None:
    made = plan()
    users = [row["name"] for row in made.users()]
    owners = {row[key] for row in made.directories() for key in ("owner", "group")}
    owners |= {row["user"] for row in _programs(made)}
    assert owners == {"root", *users}
    for row in made.users():
        assert set(row["groups"]) <= set(users[: users.index(row["name"])])
    alone = plan(host="user")
    assert alone.users() == []
    assert {row["owner"] for row in alone.directories()} == {"ada"}
    assert {row["user"] for row in _programs(alone)} == {None}


def test_no_tenant_may_read_what_another_has() -> None:
    rows = _directories(plan())
    for one, other in (("tenant-a", "tenant-b"), ("tenant-b", "tenant-a")):
        for folder in ("artifacts", "replicas", "run/models"):
            row = rows[f"/srv/demo/{folder}/{one}"]
            assert other not in row["owner"] + row["group"]
            assert row["mode"].endswith("0"), "others have no right"
    for secret in ("identity", "state", "logs", "pki/authority", "pki/operator", "supervisor"):
        assert (rows[f"/srv/demo/{secret}"]["owner"], rows[f"/srv/demo/{secret}"]["mode"]) == (
            "root",
            "0700",
        )


def _names(changes: Json, artifacts: Json | None = None) -> list[str]:
    rows = plan(changes).replicas(artifacts or ARTIFACTS)["rows"]
    return [row["id"] for row in rows if row["model"] == "iris"]


@pytest.mark.parametrize(
    ("changes", "artifacts"),
    [
        ({"models[0].version": "2"}, None),
        ({"models[0].serving.resources.memory": "512Mi"}, None),
        ({"models[0].serving.resources.cpu": "2", "tenants[0].resources": {}}, None),
        ({"models[0].serving.request_timeout": "5s"}, None),
        # Supervisor's time for a start is part of a program, and would restart it in place.
        ({"models[0].serving.start_timeout": "90s"}, None),
        ({"models[0].publish.apis": ["v1"]}, None),
        ({}, {**ARTIFACTS, "iris": {**ARTIFACTS["iris"], "digest": "sha256:cc"}}),
    ],
)
def test_what_runs_differently_has_another_name(changes: Json, artifacts: Json | None) -> None:
    before, after = _names({}), _names(changes, artifacts)
    assert len(before) == len(after) == 2
    assert not set(before) & set(after), "old and new run side by side"


@pytest.mark.parametrize(
    "changes",
    [
        {"models[1].version": "2"},
        {"tenants[0].limits.requests_per_minute": 5},
        {"platform_gateway.https_port": 9999},
    ],
)
def test_what_runs_the_same_keeps_its_name(changes: Json) -> None:
    assert _names(changes) == _names({})


def test_one_replica_more_leaves_the_others_alone() -> None:
    more = _names({"models[0].serving.replicas": {"min": 3}, "tenants[0].resources": {}})
    assert more[:2] == _names({})
    assert len(set(more)) == 3


def test_a_model_that_could_not_be_fetched_is_not_started() -> None:
    rows = plan().replicas({"chatty": ARTIFACTS["chatty"]})["rows"]
    assert [row["model"] for row in rows] == ["chatty"]


def test_memory_is_limited_where_the_inventory_says_so() -> None:
    programs = plan().replicas(ARTIFACTS)["programs"]
    commands = {row["name"].split(".")[2]: row["command"] for row in programs}
    assert commands["iris"][:2] == ["prlimit", f"--data={2**30}"]
    assert commands["chatty"][0] == "/srv/demo/runtime/bin/python"


def _tier1(changes: Json, **authorities: str) -> dict[str, Json]:
    made = plan(changes).tier1(JWKS, authorities, sample.KEYS)
    return {
        name: content["resources"][0].get("typed_config", content["resources"][0])
        for name, content in made.resources.items()
    } | {"clusters": {"all": made.resources["clusters.json"]["resources"]}}


def test_tier1_has_the_inventorys_tenants_limits_and_keys() -> None:
    files = _tier1({})
    limits = {
        row["entries"][0]["value"]: row["token_bucket"]["max_tokens"]
        for name in ("tenant", "key")
        for row in files[f"filter-limit-{name}.json"]["descriptors"]
    }
    assert limits == {"tenant-a": 600, "one": 5}
    assert "tenant-that-left" not in json.dumps(files)
    routes = files["routes.json"]["virtual_hosts"][0]["routes"]
    reached = {
        (header["string_match"]["exact"], route["route"]["host_rewrite_literal"])
        for route in routes
        if "route" in route
        for header in route["match"]["headers"]
        if header["name"] == "x-tenant-id"
    }
    assert reached == {
        ("tenant-a", "iris.tenant-a.inference.localhost"),
        ("tenant-a", "chatty.tenant-b.inference.localhost"),
        ("tenant-b", "chatty.tenant-b.inference.localhost"),
    }


def test_tier1_has_the_inventorys_issuers() -> None:
    identity = {"platform_identity": {"issuers": [{"name": "builtin"}, CORP]}}
    files = _tier1(identity, corp="PEM")
    providers = files["filter-jwt.json"]["providers"]
    base = "https://gateway.inference.localhost:8443"
    assert {name: row["issuer"] for name, row in providers.items()} == {
        "builtin": base,
        "corp": "https://idp.example.org",
        "keys": f"{base}/keys",
    }
    corp = providers["corp"]
    assert corp["audiences"] == ["inference"]
    assert corp["claim_to_headers"][0] == {"header_name": "x-tenant-id", "claim_name": "org"}
    assert corp["remote_jwks"]["cache_duration"] == "3605s"
    assert corp["remote_jwks"]["http_uri"]["uri"] == CORP["jwks_uri"]
    policies = json.dumps(files["filter-rbac.json"]["rules"]["policies"]["corp"])
    assert '"PS256"' in policies
    assert '"ES256"' not in policies
    (cluster,) = [row for row in files["clusters"]["all"] if row["name"] == "jwks|corp"]
    assert '{"inline_string": "PEM"}' in json.dumps(cluster)


def test_without_the_builtin_issuer_its_tokens_are_nobodys() -> None:
    files = _tier1({"platform_identity": {"issuers": [CORP]}}, corp="PEM")
    assert set(files["filter-jwt.json"]["providers"]) == {"corp", "keys"}
    assert set(files["filter-rbac.json"]["rules"]["policies"]) == {"corp", "keys"}


@pytest.mark.parametrize(
    ("address", "names", "connect_to"),
    [
        ("127.0.0.1", ["IP:127.0.0.1", "IP:::1"], "127.0.0.1:8443"),
        ("0.0.0.0", ["IP:127.0.0.1", "IP:::1"], "127.0.0.1:8443"),
        ("::", ["IP:127.0.0.1", "IP:::1"], "[::1]:8443"),
        ("192.0.2.7", ["IP:192.0.2.7"], "192.0.2.7:8443"),
        ("2001:db8:0::7", ["IP:2001:db8::7"], "[2001:db8::7]:8443"),
    ],
)
def test_the_certificate_and_the_description_name_the_address(
    address: str, names: list[str], connect_to: str
) -> None:
    made = plan({"platform_gateway.address": address})
    assert made.certificates()[0]["subject_alt_names"][2:] == names
    assert made.description(["inferencebox"])["connect_to"] == connect_to


def test_the_inventory_is_recorded_as_it_was_applied() -> None:
    made = plan()
    (recorded,) = [
        json.loads(row["content"])
        for row in made.records(["inferencebox"], {})
        if row["path"] == "/srv/demo/state/inventory.json"
    ]
    assert recorded == to_vars(made.platform)
    assert load(recorded) == made.platform


def test_the_token_command_is_the_command_and_the_platform() -> None:
    command = plan().description(["python", "/srv/inferencebox"])["token_command"]
    assert command == ["python", "/srv/inferencebox", "--home", "/srv/demo", "token", "{tenant}"]


def test_without_prometheus_nothing_of_it_runs_or_listens() -> None:
    assert plan().prometheus(None) == {"files": [], "programs": [], "waits": []}
    rows = plan({"platform_observability.prometheus": "disabled"}).listeners()
    assert [row["setting"].rpartition(".")[2] for row in rows] == ["https_port", "metrics_port"]
    assert all(row["address"] == "127.0.0.1" for row in rows)
