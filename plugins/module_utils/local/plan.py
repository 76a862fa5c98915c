# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a validated platform to what the machine must hold: users, directories, certificates, both tiers, replicas."""

from __future__ import annotations

import hashlib
import json
import math
import typing as t

from ..envoy import metrics, tier1, tier2
from ..envoy import types as envoy
from ..inventory import Model as InventoryModel
from ..inventory import Platform, to_vars
from ..serving import runtime_of
from . import observing
from .layout import LOOPBACK, Host, Layout

Json = dict[str, t.Any]

# With which the platform's own issuers sign.
_OWN_ALGORITHM = ("ES256",)
_LOOPBACK = ["DNS:localhost", f"IP:{LOOPBACK}"]

# How often in a row a model server is started that ends at once. The pauses between them add up to 45 seconds: enough
# for what passes by itself, and what does not pass costs nothing any more.
START_TRIES = 10


class LocalPlan:
    """The plan of one platform on one machine. Every method is pure and returns JSON-ready data."""

    def __init__(self, platform: Platform, host: Host) -> None:
        """Plan `platform` for `host`."""
        self.platform = platform
        self.host = host
        self.layout = Layout(platform.home, platform.name, host)

    # -- users and directories ---------------------------------------------------------------------------

    def users(self) -> list[Json]:
        """Unix users to be made, empty without root: {name, groups}. Tier 1 may reach tier 2's socket by group."""
        if not self.host.root:
            return []
        one, two = self.layout.tier_user("tier1"), self.layout.tier_user("tier2")
        users = [{"name": two, "groups": []}, {"name": one, "groups": [two]}]
        users.append({"name": self.layout.tier_user("metrics"), "groups": []})
        users += [
            {"name": self.layout.tenant_user(tenant.name), "groups": []}
            for tenant in self.platform.tenants
        ]
        return users

    def directories(self) -> list[Json]:
        """Directories with mode and owners. Others may pass the home, and read nothing in it."""
        layout, host = self.layout, self.host
        one, two = layout.tier_user("tier1"), layout.tier_user("tier2")
        metrics = layout.tier_user("metrics")
        rows: list[tuple[str, str, str, str]] = [
            ("", host.user, host.group, "0711"),
            ("run", host.user, host.group, "0711"),
            # Tier 2 asks tier 1 for its counters here; the admin socket beside is for its owner alone.
            ("run/tier1", one, layout.group_of(two), "2750"),
            ("run/tier2", two, layout.group_of(two), "2750"),
            ("run/models", host.user, host.group, "0711"),
            ("supervisor", host.user, host.group, "0700"),
            ("supervisor/programs", host.user, host.group, "0700"),
            # Envoy watches the directory of each certificate: it must be readable, and holds only ca.crt.
            ("pki", host.user, host.group, "0755"),
            ("pki/authority", host.user, host.group, "0700"),
            ("pki/tier1", one, layout.group_of(one), "0700"),
            ("pki/tier2", two, layout.group_of(two), "0700"),
            ("pki/metrics", metrics, layout.group_of(metrics), "0700"),
            ("pki/operator", host.user, host.group, "0700"),
            ("identity", host.user, host.group, "0700"),
            ("tier1", one, layout.group_of(one), "0700"),
            ("tier1/xds", one, layout.group_of(one), "0700"),
            ("tier2", two, layout.group_of(two), "0700"),
            ("tier2/xds", two, layout.group_of(two), "0700"),
            ("tier2/endpoints", two, layout.group_of(two), "0700"),
            ("tier2/credentials", two, layout.group_of(two), "0700"),
            ("artifacts", host.user, host.group, "0711"),
            ("replicas", host.user, host.group, "0711"),
            ("prometheus", host.user, layout.group_of(metrics), "0750"),
            ("prometheus/bin", host.user, layout.group_of(metrics), "0750"),
            ("prometheus/targets", host.user, layout.group_of(metrics), "0750"),
            ("prometheus/data", metrics, layout.group_of(metrics), "0700"),
            ("logs", host.user, host.group, "0700"),
            ("state", host.user, host.group, "0700"),
        ]
        for tenant in self.platform.tenants:
            user = layout.tenant_user(tenant.name)
            own = layout.group_of(user)
            rows += [
                (f"artifacts/{tenant.name}", host.user, own, "0750"),
                (f"replicas/{tenant.name}", host.user, own, "0750"),
                # Sockets made here belong to tier 2's group, and so to nobody else but the tenant.
                (f"run/models/{tenant.name}", user, layout.group_of(two), "2750"),
            ]
        return [
            {
                "path": self.layout.path(name) if name else self.layout.home,
                "owner": owner,
                "group": group,
                "mode": mode,
            }
            for name, owner, group, mode in rows
        ]

    def listeners(self) -> list[Json]:
        """TCP ports that the platform opens: {setting, address, port, home}."""
        gateway, observability = self.platform.gateway, self.platform.observability
        rows = [
            ("platform_gateway.https_port", gateway.address, gateway.https_port),
            ("platform_observability.metrics_port", LOOPBACK, observability.metrics_port),
        ]
        if observability.prometheus != "disabled":
            port = observability.prometheus_port
            rows.append(("platform_observability.prometheus_port", LOOPBACK, port))
        return [
            {"setting": setting, "address": address, "port": port, "home": self.platform.home}
            for setting, address, port in rows
        ]

    # -- identities --------------------------------------------------------------------------------------

    def _uri(self, part: str) -> str:
        return f"URI:{self.spiffe(part)}"

    def spiffe(self, tier: str) -> str:
        """SPIFFE id of a tier, of what reads metrics, or of the operator."""
        return f"spiffe://{self.platform.domain}/ns/platform/sa/{tier}"

    def certificates(self) -> list[Json]:
        """Certificates of the platform's CA: {name, directory, common_name, subject_alt_names, usage, owner, group}."""
        layout = self.layout
        one, two = layout.tier_user("tier1"), layout.tier_user("tier2")
        user = self.host.user
        gateway = self.platform.gateway
        names = [
            f"DNS:gateway.{self.platform.domain}",
            "DNS:localhost",
            f"IP:{gateway.address}",
        ]
        if gateway.address in ("127.0.0.1", "0.0.0.0", "::"):  # noqa: S104 - a name in a certificate
            names = [*names[:2], "IP:127.0.0.1", "IP:::1"]
        rows = [
            ("server", "tier1", f"gateway.{self.platform.domain}", names, ["serverAuth"], one),
            ("client", "tier1", "tier1", [self._uri("tier1")], ["clientAuth"], one),
            ("server", "tier2", "tier2", [self._uri("tier2"), *_LOOPBACK], ["serverAuth"], two),
            # Prometheus asks with it, and answers with it.
            (
                "metrics",
                "metrics",
                "metrics",
                [self._uri("metrics"), *_LOOPBACK],
                ["clientAuth", "serverAuth"],
                layout.tier_user("metrics"),
            ),
            # Whoever installed the platform reads its counters with this one.
            ("operator", "operator", "operator", [self._uri("operator")], ["clientAuth"], user),
        ]
        return [
            {
                "name": f"{directory}-{name}",
                "path": layout.path("pki", directory, name),
                "common_name": common_name,
                "subject_alt_names": alternatives,
                "usage": usage,
                "owner": owner,
                "group": self.host.group if owner == user else layout.group_of(owner),
            }
            for name, directory, common_name, alternatives, usage, owner in rows
        ]

    def issuers(
        self, jwks: t.Mapping[str, t.Any], authorities: t.Mapping[str, str]
    ) -> tuple[envoy.Issuer, ...]:
        """Issuers of tier 1.

        Args:
            jwks: Key sets by issuer: those of the built-in two, `builtin` and `keys`, and of each `jwks_file`.
            authorities: Content of each `ca_file` by issuer.
        """
        base = self.platform.base_url
        result: list[envoy.Issuer] = []
        for issuer in self.platform.identity.issuers:
            if issuer.name == "builtin":
                result.append(
                    envoy.Issuer(
                        "builtin", base, (base,), _OWN_ALGORITHM, jwks=json.dumps(jwks["builtin"])
                    )
                )
            else:
                result.append(
                    envoy.Issuer(
                        issuer.name,
                        str(issuer.issuer),
                        tuple(issuer.audiences),
                        tuple(issuer.algorithms),
                        tenant_claim=issuer.tenant_claim,
                        jwks=json.dumps(jwks[issuer.name]) if issuer.jwks_file else None,
                        jwks_uri=str(issuer.jwks_uri) if issuer.jwks_uri else None,
                        authority=authorities.get(issuer.name),
                        jwks_refresh=issuer.jwks_refresh_seconds,
                    )
                )
        keys = envoy.Issuer(
            "keys",
            f"{base}/keys",
            (base,),
            _OWN_ALGORITHM,
            jwks=json.dumps(jwks["keys"]),
            from_key_header=True,
        )
        return (*result, keys)

    # -- the two tiers -----------------------------------------------------------------------------------

    def tier1(
        self,
        jwks: t.Mapping[str, t.Any],
        authorities: t.Mapping[str, str],
        keys: t.Sequence[t.Mapping[str, t.Any]],
    ) -> envoy.EnvoyConfig:
        """Tier 1. `jwks` and `authorities` as for `issuers`; `keys` are the records of the API keys that are valid now."""
        layout, platform = self.layout, self.platform
        tenants = tuple(
            envoy.Tenant(
                tenant.name,
                tuple(self._model(model) for model in platform.allowed(tenant.name)),
                tenant.limits.requests_per_minute,
            )
            for tenant in platform.tenants
        )
        known = {tenant.name for tenant in platform.tenants}
        return tier1.build(
            envoy.Tier1(
                directory=layout.tier("tier1"),
                admin_socket=layout.admin_socket("tier1"),
                metrics_socket=layout.tier1_metrics_socket,
                address=platform.gateway.address,
                port=platform.gateway.https_port,
                max_request_bytes=platform.gateway.max_request_bytes,
                server=self._certificate("tier1", "server"),
                client=self._certificate("tier1", "client"),
                tier2_socket=layout.tier2_socket,
                tier2_identity=self.spiffe("tier2"),
                issuers=self.issuers(jwks, authorities),
                keys=tuple(
                    envoy.ApiKey(key["id"], key["tenant"], key.get("requests_per_minute"))
                    for key in keys
                    if key["tenant"] in known
                ),
                tenants=tenants,
            )
        )

    def tier2(self) -> envoy.EnvoyConfig:
        """Tier 2, without endpoints."""
        layout = self.layout
        models = tuple(self._model(model) for model in self.platform.models)
        return tier2.build(
            envoy.Tier2(
                directory=layout.tier("tier2"),
                admin_socket=layout.admin_socket("tier2"),
                socket=layout.tier2_socket,
                server=self._certificate("tier2", "server"),
                tier1_identity=self.spiffe("tier1"),
                metrics=envoy.Metrics(
                    LOOPBACK,
                    self.platform.observability.metrics_port,
                    (self.spiffe("metrics"), self.spiffe("operator")),
                    layout.tier1_metrics_socket,
                ),
                models=models,
                credentials={
                    model.cluster: layout.path(
                        "tier2", "credentials", f"{model.owner}.{model.name}"
                    )
                    for model in models
                },
            )
        )

    def endpoints(self, live: t.Mapping[str, t.Sequence[str]]) -> list[Json]:
        """Tier 2's endpoint files. `live` maps a model's name to the sockets of its ready replicas.

        A model without any is left out: its file, if there is one, keeps naming the replicas of before.
        """
        files = tier2.endpoints(
            {
                self._model(model): [_replica_at(socket) for socket in live[model.name]]
                for model in self.platform.models
                if model.name in live
            }
        )
        two = self.layout.tier_user("tier2")
        return [
            {
                "path": self.layout.path("tier2", "endpoints", name),
                "content": json.dumps(content, indent=2, sort_keys=True) + "\n",
                "owner": two,
                "group": self.layout.group_of(two),
                "mode": "0640",
            }
            for name, content in files.items()
        ]

    def _certificate(self, tier: str, name: str) -> envoy.Certificate:
        path = self.layout.path("pki", tier, name)
        return envoy.Certificate(f"{path}.crt", f"{path}.key", self.layout.path("pki", "ca.crt"))

    def _model(self, model: InventoryModel) -> envoy.Model:
        runtime = runtime_of(model.framework)
        return envoy.Model(
            name=model.name,
            owner=model.tenant,
            version=model.version,
            host=f"{model.name}.{model.tenant}.{self.platform.domain}",
            apis=tuple(model.publish.apis),
            request_timeout=model.serving.request_timeout_seconds,
            health_path=runtime.health_path.format(name=model.name),
            keeps_connections=runtime.keeps_connections,
        )

    # -- what runs ---------------------------------------------------------------------------------------

    def gateways(self) -> list[Json]:
        """Programs of the two tiers."""
        return [self._gateway("tier2", 20), self._gateway("tier1", 30)]

    def gateway_waits(self) -> list[Json]:
        """How both tiers show that they answer: tier 2 by its admin socket, tier 1 as callers see it."""
        one, two = (
            {"program": tier, "timeout": 30.0, "log": self.layout.log(tier)}
            for tier in ("tier1", "tier2")
        )
        gateway = {
            "address": self._reachable_address,
            "port": self.platform.gateway.https_port,
            "name": f"gateway.{self.platform.domain}",
            "ca_file": self.layout.path("pki", "ca.crt"),
        }
        return [
            {**two, "socket": self.layout.admin_socket("tier2"), "path": "/ready"},
            {**one, "gateway": gateway, "path": "/healthz"},
        ]

    @property
    def _reachable_address(self) -> str:
        """The gateway's address, as somebody on this machine connects to it."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - a name, nothing listens here
        address = self.platform.gateway.address
        return everywhere.get(address, address)

    def _gateway(self, tier: str, priority: int) -> Json:
        layout = self.layout
        return {
            "name": tier,
            "command": [
                self.host.envoy,
                "--config-path",
                layout.path(tier, "bootstrap.json"),
                "--concurrency",
                str(max(1, min(4, self.host.cpus))),
                "--disable-hot-restart",
                # A replaced listener lets its streams end in their own time.
                "--drain-time-s",
                "3600",
                "--log-level",
                "warning",
            ],
            "directory": layout.path(tier),
            "user": layout.tier_user(tier) if self.host.root else None,
            "priority": priority,
            "stdout_log": layout.access_log(tier),
            "stderr_log": layout.log(tier),
            "stop_seconds": 10,
            "environment": {},
        }

    def artifacts(self) -> list[Json]:
        """Model artifacts to be fetched: {name, source, destination, checksum}."""
        return [
            {
                "name": model.name,
                "source": model.source,
                "destination": self.layout.path(
                    "artifacts", model.tenant, model.name, model.version
                ),
                "checksum": model.checksum,
            }
            for model in self.platform.models
        ]

    def credentials(self) -> list[Json]:
        """A secret for each model, in the two forms that its server and tier 2 read."""
        two = self.layout.tier_user("tier2")
        rows = []
        for model in self.platform.models:
            tenant = self.layout.group_of(self.layout.tenant_user(model.tenant))
            rows.append(
                {
                    "server_file": self._credential_file(model),
                    "server_owner": self.host.user,
                    "server_group": tenant,
                    "gateway_file": self.layout.path(
                        "tier2", "credentials", f"{model.tenant}.{model.name}"
                    ),
                    "gateway_owner": two,
                    "gateway_group": self.layout.group_of(two),
                }
            )
        return rows

    def _credential_file(self, model: InventoryModel) -> str:
        return self.layout.path("replicas", model.tenant, f"{model.name}.secret")

    def replicas(self, artifacts: t.Mapping[str, t.Mapping[str, t.Any]]) -> Json:
        """Model server processes.

        Args:
            artifacts: model name -> {"path", "digest"} of what was fetched. Models without one are left out:
                they could not be fetched and cannot start.

        Returns:
            rows: {id, model, socket} for each replica; files: what each reads at its start; programs: how each is
            run; waits: how each shows that it answers. An id changes whenever what runs would change, so that new
            and old can run side by side.
        """
        result: Json = {"rows": [], "files": [], "programs": [], "waits": []}
        for model in self.platform.models:
            if model.name in artifacts:
                for index in range(model.serving.replicas.max):
                    for key, value in self._replica(model, artifacts[model.name], index).items():
                        result[key].append(value)
        return result

    def _replica(self, model: InventoryModel, artifact: t.Mapping[str, t.Any], index: int) -> Json:
        layout = self.layout
        cpu = model.serving.resources.cpu
        spec: Json = {
            "name": model.name,
            "tenant": model.tenant,
            "version": model.version,
            "framework": model.framework,
            "artifact": artifact["path"],
            "credential_file": self._credential_file(model),
            "threads": max(1, int(cpu)) if cpu else 1,
            "apis": list(model.publish.apis),
            "request_timeout_seconds": model.serving.request_timeout_seconds,
        }
        memory = model.serving.resources.memory
        # Together with the server's file all that its program is made of, so that nothing is restarted in place.
        patience = model.serving.start_timeout_seconds
        identity = json.dumps([spec, artifact.get("digest"), memory, patience], sort_keys=True)
        digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
        # Socket paths are limited to 107 bytes: the tenant's directory says the tenant, the rest stays short.
        short = hashlib.sha256(f"{model.name}.{digest}.{index}".encode()).hexdigest()[:12]
        name = f"model.{model.tenant}.{model.name}.{digest}.{index}"
        spec["socket"] = layout.path("run", "models", model.tenant, f"{short}.sock")
        spec_file = layout.path("replicas", model.tenant, f"{name}.json")
        runtime = runtime_of(model.framework)
        limit = ["prlimit", f"--data={int(memory)}"] if memory else []
        return {
            "rows": {"id": name, "model": model.name, "socket": spec["socket"]},
            "files": {
                "path": spec_file,
                "content": json.dumps(spec, indent=2, sort_keys=True) + "\n",
                "mode": "0640",
                "owner": self.host.user,
                "group": layout.group_of(layout.tenant_user(model.tenant)),
            },
            "waits": {
                "program": name,
                "socket": spec["socket"],
                "path": runtime.health_path.format(name=model.name),
                "timeout": patience,
                "log": layout.log(name),
                "bounds": f"serving.resources.memory allows {int(memory) // 2**20} MiB"
                if memory
                else "",
            },
            "programs": {
                "name": name,
                "command": [
                    *limit,
                    layout.python,
                    "-m",
                    "inferencebox.serving",
                    "--spec",
                    spec_file,
                ],
                "directory": "/",
                "user": layout.tenant_user(model.tenant) if self.host.root else None,
                "priority": 50,
                "stdout_log": layout.access_log(name),
                "stderr_log": layout.log(name),
                "stop_seconds": 30,
                # What does not live through the time of a start has not started, whatever ended it.
                "start_seconds": math.ceil(patience),
                "start_tries": START_TRIES,
                "reads": [spec["credential_file"]],
                "environment": _threads(spec["threads"]),
            },
        }

    def outcome(
        self,
        replicas: t.Sequence[t.Mapping[str, t.Any]],
        failed_programs: t.Mapping[str, str],
        failed_artifacts: t.Mapping[str, str],
        running: t.Collection[str] = (),
    ) -> Json:
        """What follows from which replicas became ready.

        Args:
            replicas: The rows of `replicas`, all started.
            failed_programs: program name -> reason, for those that did not become ready.
            failed_artifacts: model name -> reason, for those that could not be fetched.
            running: Names of the programs that run now.

        Returns:
            live: model -> sockets to which requests may go, which are those of all its replicas, so that tier 2 finds a
            late one when it answers. A model of which none answers while an earlier version runs is left out: that one
            goes on. healthy: arguments of the module replicas_healthy for the replicas that answer. failures: model -> reason; summary: the same as a list to read; keep: name prefixes of programs that
            go on as they are, because their successors did not start; states: model -> {ready, reason}, as `status`
            shows them.
        """
        sockets: dict[str, list[str]] = {}
        ready: dict[str, list[str]] = {}
        failures: dict[str, str] = dict(failed_artifacts)
        for replica in replicas:
            model = replica["model"]
            sockets.setdefault(model, []).append(replica["socket"])
            reason = failed_programs.get(replica["id"])
            if reason is None:
                ready.setdefault(model, []).append(replica["socket"])
            else:
                failures.setdefault(model, reason)
        wanted = {replica["id"] for replica in replicas}
        prefixes = {m.name: f"model.{m.tenant}.{m.name}." for m in self.platform.models}
        earlier = {
            name
            for name, prefix in prefixes.items()
            if name not in ready
            and any(one.startswith(prefix) and one not in wanted for one in running)
        }
        told = {
            name: f"{reason}; what ran before goes on" if name in earlier else reason
            for name, reason in failures.items()
        }
        return {
            "live": {name: each for name, each in sockets.items() if name not in earlier},
            "healthy": {
                "admin_socket": self.layout.admin_socket("tier2"),
                "replicas": ready,
            },
            "failures": told,
            "summary": "\n".join(f"  - {name}: {reason}" for name, reason in told.items()),
            "keep": [prefix for name, prefix in prefixes.items() if name in failures],
            "states": {
                name: {
                    "ready": name in ready,
                    "replicas": len(ready.get(name, ())),
                    "reason": told.get(name),
                }
                for name in prefixes
            },
        }

    # -- what watches it ---------------------------------------------------------------------------------

    def prometheus(self, binary: str | None) -> Json:
        """Prometheus by its `binary`: {files, programs, waits}; nothing of it where there is none."""
        if binary is None:
            return {"files": [], "programs": [], "waits": []}
        return observing.prometheus(self.layout, self.platform, binary)

    def targets(self, live: t.Mapping[str, t.Sequence[str]]) -> list[Json]:
        """Files by which Prometheus finds the replicas of each model. `live` as for `endpoints`."""
        return [
            observing.targets(
                self.layout,
                self.platform,
                model,
                {
                    replica.name: metrics.replica_path(self._model(model), replica.name)
                    for replica in map(_replica_at, live[model.name])
                },
            )
            for model in self.platform.models
            if model.name in live
        ]

    # -- how others find it ------------------------------------------------------------------------------

    def records(self, cli: t.Sequence[str], states: t.Mapping[str, t.Any]) -> list[Json]:
        """Files that say what was applied: the inventory, each model's state, platform.json. `cli` as for `description`."""
        contents = {
            "state/inventory.json": to_vars(self.platform),
            "state/models.json": states,
            "platform.json": self.description(cli),
        }
        return [
            {
                "path": self.layout.path(name),
                "content": json.dumps(content, indent=2, sort_keys=True) + "\n",
                "mode": "0644" if name == "platform.json" else "0600",
            }
            for name, content in contents.items()
        ]

    def description(self, cli: t.Sequence[str]) -> Json:
        """platform.json. `cli` is the inferencebox command, word by word."""
        platform = self.platform
        gateway = platform.gateway
        address = self._reachable_address
        shown = f"[{address}]" if ":" in address else address
        return {
            "format": 1,
            "name": platform.name,
            "target": platform.target,
            "train": platform.train,
            "home": platform.home,
            "base_url": platform.base_url,
            "connect_to": f"{shown}:{gateway.https_port}",
            "ca_file": self.layout.path("pki", "ca.crt"),
            "observability": observing.description(self.layout, platform),
            "token_command": [*cli, "--home", platform.home, "token", "{tenant}"],
            "tenants": {
                tenant.name: {"models": [m.name for m in platform.allowed(tenant.name)]}
                for tenant in platform.tenants
            },
            "models": {model.name: self._described(model) for model in platform.models},
        }

    def _described(self, model: InventoryModel) -> Json:
        row: Json = {
            "owner": model.tenant,
            "framework": model.framework,
            "version": model.version,
            "apis": list(model.publish.apis),
        }
        runtime = runtime_of(model.framework)
        body = model.publish.example or runtime.example_body(model.name)
        if body is not None:
            row["example"] = {"path": runtime.example_path.format(name=model.name), "body": body}
        return row


def _replica_at(socket: str) -> envoy.Replica:
    return envoy.Replica(socket.rpartition("/")[2].removesuffix(".sock"), socket)


def _threads(count: int) -> dict[str, str]:
    # Each numeric library reads its own variable; all of them default to every core of the machine.
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {name: str(count) for name in names}
