# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a real API server refuses in a tenant's namespace, and whom.

Every request is a server-side dry run as somebody else: a tenant whom an administrator gave too many rights, KServe's
controller, an administrator of the cluster.
"""

from __future__ import annotations

import copy
import dataclasses
import time
import typing as t

import httpx
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils import kubernetes
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster import (
    kubeconfig as files,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.discovery import (
    Resources,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import RefusedError
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import load

from tests.cluster.conftest import random_name
from tests.cluster.steps import Object, Platform
from tests.unit.plugins.module_utils.kubernetes import sample

pytestmark = pytest.mark.proves("L1", "admission")

_ACTIVE_SECONDS = 30.0
_DOMAIN = "inference.example.org"

# Who asks: user and groups.
TENANT = ("mallory", ())
KSERVE = (
    "system:serviceaccount:kserve:kserve-controller-manager",
    ("system:serviceaccounts:kserve",),
)
ADMINISTRATOR = ("root", ("system:masters",))


class _As(httpx.Auth):
    """Asks in the name of somebody else, as an administrator may."""

    def __init__(self, user: str, groups: t.Sequence[str]) -> None:
        self._user, self._groups = user, groups

    def auth_flow(self, request: httpx.Request) -> t.Generator[httpx.Request, httpx.Response, None]:
        request.headers["Impersonate-User"] = self._user
        for group in self._groups:
            request.headers["Impersonate-Group"] = group
        yield request


class Guarded:
    """A tenant's namespace with the admission policies of its platform, and another tenant beside it."""

    def __init__(self, kubeconfig: str) -> None:
        self.platform = Platform(random_name(), kubeconfig)
        self._connection = files.load(kubeconfig)
        name = self.platform.name
        self.tenant, self.neighbour = f"{name}-a", f"{name}-b"
        raw = copy.deepcopy(sample.FULL)
        raw |= {
            "platform_name": name,
            "tenants": [
                {"name": self.tenant, "models": {"allow": ["iris"]}},
                {"name": self.neighbour, "models": {"allow": [f"{self.tenant}/iris"]}},
            ],
            "models": [{**raw["models"][0], "tenant": self.tenant}],
            "providers": [],
        }
        platform = load(raw)
        spaces = [
            one for one in kubernetes.objects(platform, "tenants") if one["kind"] == "Namespace"
        ]
        policies = kubernetes.objects(platform, "admission")
        report = self.platform.apply([*spaces, *policies, *self._too_many_rights()])
        assert not report.problem, report.problem
        with Api(self._connection) as api:
            self._resources = Resources.of(api)
        self._wait_until_active()

    def _too_many_rights(self) -> list[Object]:
        api, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
        name = self.platform.name
        groups = ["gateway.networking.k8s.io", "networking.istio.io", "networking.k8s.io"]
        groups += ["security.istio.io", "telemetry.istio.io", "gateway.envoyproxy.io"]
        rules = [{"apiGroups": groups, "resources": ["*"], "verbs": ["create", "patch", "update"]}]
        subjects = [
            {"apiGroup": group, "kind": "User", "name": TENANT[0]},
            {"kind": "ServiceAccount", "name": KSERVE[0].rpartition(":")[2], "namespace": "kserve"},
        ]
        return [
            {"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
            {
                "apiVersion": api,
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
                "subjects": subjects,
            },
        ]

    def _wait_until_active(self) -> None:
        """A policy acts some moments after it was taken."""
        deadline = time.monotonic() + _ACTIVE_SECONDS
        wrong = (self.route(["elsewhere.example.org"]), self.service(["elsewhere.example.org"]))
        while not all(self.refusal(one, KSERVE) for one in wrong) or not self.refusal(
            self.route([self.host()]), TENANT
        ):
            assert time.monotonic() < deadline, "the policies never acted"
            time.sleep(0.2)

    def refusal(self, wanted: Object, who: tuple[str, t.Sequence[str]]) -> str:
        """Ask for an object, and say why it was refused; empty where it was not."""
        resource = self._resources.find(wanted["apiVersion"], wanted["kind"])
        assert resource, f"the cluster serves no {wanted['kind']}"
        path = resource.path(wanted["metadata"].get("namespace", ""), wanted["metadata"]["name"])
        with Api(dataclasses.replace(self._connection, auth=_As(*who))) as api:
            try:
                api.apply(path, wanted, "test", dry_run=True, force=False)
            except RefusedError as refused:
                return str(refused)
        return ""

    def host(self, tenant: str = "") -> str:
        """Host of a model of a tenant."""
        return f"iris.{tenant or self.tenant}.{_DOMAIN}"

    def inside(self, tenant: str = "") -> str:
        """Host of a Service of a tenant."""
        return f"iris-predictor.{tenant or self.tenant}.svc.cluster.local"

    def made(self, kind: str, spec: Object) -> Object:
        """An object in the tenant's namespace."""
        version, _, kind = kind.partition(" ")
        metadata = {"name": "tried", "namespace": self.tenant}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}

    def route(
        self, hosts: list[str], backend: Object | None = None, mirror: Object | None = None
    ) -> Object:
        """An HTTPRoute; references are of the same namespace where nothing else is said."""
        rule: Object = {"backendRefs": [{"name": "iris", "port": 80, **(backend or {})}]}
        if mirror:
            copied = {"backendRef": {"name": "iris", "port": 80, **mirror}}
            rule["filters"] = [{"type": "RequestMirror", "requestMirror": copied}]
        hostnames = {"hostnames": hosts} if hosts else {}
        return self.made("gateway.networking.k8s.io/v1 HTTPRoute", {**hostnames, "rules": [rule]})

    def service(self, hosts: list[str], target: str = "", **http: t.Any) -> Object:
        """A VirtualService with one route."""
        route = {"route": [{"destination": {"host": target or self.inside()}}], **http}
        return self.made("networking.istio.io/v1 VirtualService", {"hosts": hosts, "http": [route]})


@pytest.fixture(scope="module")
def guarded(defined: str) -> t.Iterator[Guarded]:
    made = Guarded(defined)
    yield made
    made.platform.remove()


OWN_KINDS: dict[str, tuple[str, Object]] = {
    "EnvoyFilter": ("networking.istio.io/v1alpha3", {}),
    "Sidecar": ("networking.istio.io/v1", {}),
    "Gateway": ("networking.istio.io/v1", {"servers": []}),
    "Telemetry": ("telemetry.istio.io/v1", {}),
    "AuthorizationPolicy": ("security.istio.io/v1", {}),
    "PeerAuthentication": ("security.istio.io/v1", {}),
    "NetworkPolicy": ("networking.k8s.io/v1", {"podSelector": {}}),
    "Backend": (
        "gateway.envoyproxy.io/v1alpha1",
        {"endpoints": [{"ip": {"address": "192.0.2.1", "port": 80}}]},
    ),
}


@pytest.mark.parametrize("kind", OWN_KINDS)
@pytest.mark.parametrize("who", [TENANT, KSERVE], ids=["tenant", "kserve"])
def test_what_shapes_the_platform_is_the_platforms(
    guarded: Guarded, kind: str, who: tuple[str, tuple[str, ...]]
) -> None:
    version, spec = OWN_KINDS[kind]
    wanted = guarded.made(f"{version} {kind}", spec)
    assert "tenants own models, not routes" in guarded.refusal(wanted, who)
    assert guarded.refusal(wanted, ADMINISTRATOR) == ""


def test_a_tenant_writes_no_route_even_for_itself(guarded: Guarded) -> None:
    for wanted in (guarded.route([guarded.host()]), guarded.service([guarded.host()])):
        assert "tenants own models, not routes" in guarded.refusal(wanted, TENANT)


def test_kserve_may_make_routes_for_a_tenants_own_hosts(guarded: Guarded) -> None:
    local = "knative-local-gateway.istio-system.svc.cluster.local"
    for wanted in (
        guarded.route([guarded.host()]),
        guarded.service([guarded.host(), guarded.inside()]),
        guarded.service([guarded.host()], local, rewrite={"authority": guarded.inside()}),
    ):
        assert guarded.refusal(wanted, KSERVE) == ""


@pytest.mark.parametrize("who", [KSERVE, ADMINISTRATOR], ids=["kserve", "administrator"])
def test_nobody_gives_a_tenant_anothers_host(
    guarded: Guarded, who: tuple[str, tuple[str, ...]]
) -> None:
    stolen = guarded.host(guarded.neighbour)
    for hosts in ([stolen], [guarded.host(), stolen], [], [f"x{guarded.tenant}.{_DOMAIN}"]):
        assert "hostnames must be given" in guarded.refusal(guarded.route(hosts), who), hosts
    for hosts in ([stolen], ["*"], [f"x{guarded.tenant}.{_DOMAIN}"]):
        assert "hosts must be given" in guarded.refusal(guarded.service(hosts), who), hosts


def test_no_request_leaves_a_tenants_namespace(guarded: Guarded) -> None:
    own, there = [guarded.host()], guarded.inside(guarded.neighbour)
    elsewhere = {"namespace": guarded.neighbour}
    expected = {
        "backendRefs must stay": guarded.route(own, backend=elsewhere),
        "requestMirror must stay": guarded.route(own, mirror=elsewhere),
        "destinations must stay": guarded.service(own, there),
        "mirrors must stay": guarded.service(own, mirrors=[{"destination": {"host": there}}]),
        "authority must stay": guarded.service(own, rewrite={"authority": there}),
    }
    for words, wanted in expected.items():
        assert words in guarded.refusal(wanted, KSERVE)
    assert "mirrors must stay" in guarded.refusal(
        guarded.service(own, mirror={"host": there}), KSERVE
    )


def test_a_virtual_service_is_a_plain_http_route(guarded: Guarded) -> None:
    kind, hosts = "networking.istio.io/v1 VirtualService", [guarded.host()]
    for spec in (
        {"hosts": hosts, "http": [{"redirect": {"authority": "elsewhere.example.org"}}]},
        {"hosts": hosts, "tcp": [{"route": [{"destination": {"host": guarded.inside()}}]}]},
    ):
        refusal = guarded.refusal(guarded.made(kind, spec), KSERVE)
        assert "only http routes are allowed" in refusal


def test_other_namespaces_are_left_alone(guarded: Guarded) -> None:
    wanted = guarded.route(["anything.example.org"])
    wanted["metadata"]["namespace"] = "default"
    assert guarded.refusal(wanted, TENANT) == ""
