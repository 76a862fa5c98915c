# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What no single value shows: how the parts of an inventory fit together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..errors import Problem
from ._types import format_duration, is_address, is_domain
from .checks_cluster import CLUSTER_CHECKS
from .checks_images import IMAGE_CHECKS
from .checks_node import NODE_CHECKS
from .checks_providers import PROVIDER_CHECKS, external_names
from .checks_serving import SERVING_CHECKS
from .draft import Check, Draft, choose
from .models import APIS, PREDICTIVE_APIS, Model
from .names import (
    SOCKET_PATH_BYTES,
    spare_socket_bytes,
    unix_user,
)
from .platform import BUILTIN_ISSUER, Issuer, qualified
from .support import refused_settings

# The name under which the platform signs API keys.
_KEYS_ISSUER = "keys"
_SHORTEST_REFRESH = 5.0
_LONGEST_REFRESH = 24 * 3600.0


def find_problems(draft: Draft) -> Iterator[Problem]:
    """Run every check.

    Args:
        draft: The inventory.

    Yields:
        What is wrong, check by check.
    """
    for check in CHECKS:
        yield from check(draft)


def _unique_names(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    named: tuple[tuple[str, str, Sequence[Any]], ...] = (
        ("tenants", "tenant", platform.tenants),
        ("models", "model", platform.models),
        ("providers", "provider", platform.providers),
        ("platform_identity.issuers", "issuer", platform.identity.issuers),
    )
    for path, kind, entries in named:
        first: dict[str, int] = {}
        for index, entry in enumerate(entries):
            if entry.name in first:
                yield Problem(
                    f"{path}[{index}].name",
                    entry.name,
                    f"is already the name of {path}[{first[entry.name]}]",
                    f"Give each {kind} of the platform a name of its own.",
                )
            first.setdefault(entry.name, index)


def _some_tenant(draft: Draft) -> Iterator[Problem]:
    if not draft.platform.tenants:
        yield Problem("tenants", None, "names no tenant", "Add at least one: - name: tenant-a")


def _owners(draft: Draft) -> Iterator[Problem]:
    known = {tenant.name for tenant in draft.platform.tenants}
    if not draft.knows("tenants", "name"):
        return
    for index, model in enumerate(draft.platform.models):
        if model.tenant not in known:
            yield Problem(
                f"models[{index}].tenant",
                model.tenant,
                "is not a tenant of this platform",
                choose("Use one of", known, "Add the tenant."),
            )


def _references(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    if not (draft.knows("models", "name") and draft.knows("models", "tenant")):
        return
    if not (draft.knows("providers", "name") and draft.knows("providers", "models")):
        return
    external = external_names(platform)
    served = {model.qualified_name for model in platform.models} | set(external)
    owners = {entry.partition("/")[2]: entry.partition("/")[0] for entry in external}
    owners |= {model.name: model.tenant for model in platform.models}
    tenants = {tenant.name for tenant in platform.tenants}
    tenants |= {provider.name for provider in platform.providers}
    for index, tenant in enumerate(platform.tenants):
        seen: set[str] = set()
        for place, entry in enumerate(tenant.allow):
            path = f"tenants[{index}].models.allow[{place}]"
            target = qualified(entry, tenant.name)
            name = target.rpartition("/")[2]
            if target in seen:
                yield Problem(path, entry, "is there already", "Remove it.")
            elif target in served or owners.get(name, tenant.name) not in tenants:
                pass  # callable, or the model's own problem: its owner is no tenant
            elif name in owners:
                yield Problem(
                    path,
                    entry,
                    f"is a model of {owners[name]}, not of {target.partition('/')[0]}",
                    f"Write {owners[name]}/{name} if that is meant.",
                )
            else:
                yield Problem(
                    path,
                    entry,
                    "is not a model of this platform",
                    choose("Use one of", owners, "Add the model, or remove the entry."),
                )
            seen.add(target)


def _callable_by_somebody(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    if not (draft.knows("tenants", "name") and draft.knows("tenants", "models.allow")):
        return
    allowed = {
        qualified(entry, tenant.name) for tenant in platform.tenants for entry in tenant.allow
    }
    tenants = {tenant.name for tenant in platform.tenants}
    for index, model in enumerate(platform.models):
        if model.tenant in tenants and model.qualified_name not in allowed:
            yield Problem(
                f"models[{index}].name",
                model.name,
                "is a model that nobody may call",
                f"Add {model.name} to models.allow of {model.tenant}, or remove the model.",
            )
    allowed |= {model.fallback for model in platform.models if model.fallback}
    for index, provider in enumerate(platform.providers):
        for place, external in enumerate(provider.models):
            if f"{provider.name}/{external.name}" not in allowed:
                yield Problem(
                    f"providers[{index}].models[{place}].name",
                    external.name,
                    "is a model that nobody may call",
                    f"Add {provider.name}/{external.name} to a tenant's models.allow, make it a "
                    "model's fallback, or remove it.",
                )


def _replicas(draft: Draft) -> Iterator[Problem]:
    for index, model in enumerate(draft.platform.models):
        replicas = model.serving.replicas
        if replicas.min > replicas.max:
            yield Problem(
                f"models[{index}].serving.replicas.min",
                replicas.min,
                f"is more than max, which is {replicas.max}",
                f"Use {replicas.max} or less, or raise max.",
            )


def _apis(draft: Draft) -> Iterator[Problem]:
    for index, model in enumerate(draft.platform.models):
        offered = APIS.get(model.framework, PREDICTIVE_APIS)
        for place, api in enumerate(model.publish.apis):
            path = f"models[{index}].publish.apis[{place}]"
            if api not in offered:
                yield Problem(
                    path,
                    api,
                    f"is nothing that framework {model.framework} answers",
                    f"Use one of {', '.join(offered)}.",
                )
            elif api in model.publish.apis[:place]:
                yield Problem(path, api, "is there already", "Remove it.")


def _examples(draft: Draft) -> Iterator[Problem]:
    bodies = {"v1": "instances", "v2": "inputs"}
    for index, model in enumerate(draft.platform.models):
        example, apis = model.publish.example, model.publish.apis
        keys = [bodies[api] for api in apis if api in bodies]
        if example is None or len(keys) < len(apis) or any(key in example for key in keys):
            continue
        yield Problem(
            f"models[{index}].publish.example",
            example,
            f"is no request of {' or '.join(apis)}",
            f"Give it the key {' or '.join(keys)}.",
        )


def _traffic(draft: Draft) -> Iterator[Problem]:
    for index, model in enumerate(draft.platform.models):
        traffic = model.traffic
        if traffic.stable not in (None, model.version):
            yield Problem(
                f"models[{index}].traffic.stable",
                traffic.stable,
                f"is not the model's version, which is {model.version}",
                "Make both the same, or leave stable out.",
            )
        others = (
            ("canary.version", traffic.canary.version if traffic.canary else None),
            ("mirror", traffic.mirror),
        )
        known = {other.version for other in model.versions}
        for key, version in others:
            if version == model.version:
                yield Problem(
                    f"models[{index}].traffic.{key}",
                    version,
                    "is the version that already answers",
                    "Name another version, or leave it out.",
                )
            elif version is not None and version not in known:
                yield Problem(
                    f"models[{index}].traffic.{key}",
                    version,
                    "is a version without files",
                    f"Add it to versions of {model.name}, with its source.",
                )


def _versions(draft: Draft) -> Iterator[Problem]:
    for index, model in enumerate(draft.platform.models):
        seen = {model.version}
        canary = model.traffic.canary
        used = {canary.version if canary else None, model.traffic.mirror}
        for place, other in enumerate(model.versions):
            path = f"models[{index}].versions[{place}].version"
            if other.version in seen:
                yield Problem(path, other.version, "is there already", "Give each version once.")
            elif other.version not in used:
                yield Problem(
                    path,
                    other.version,
                    "is a version that nobody gets",
                    "Name it in traffic, or remove it.",
                )
            seen.add(other.version)


def _checksums(draft: Draft) -> Iterator[Problem]:
    # In a cluster KServe fetches the files, and would not look at it.
    if draft.target == "kubernetes":
        return
    for index, model in enumerate(draft.platform.models):
        places = [(f"models[{index}]", model.source, model.checksum)]
        places += [
            (f"models[{index}].versions[{place}]", other.source, other.checksum)
            for place, other in enumerate(model.versions)
        ]
        for path, source, checksum in places:
            if not source.startswith("https://") or checksum is not None:
                continue
            yield Problem(
                f"{path}.checksum",
                None,
                "is missing",
                "Add it: files from https must be named by what `sha256sum FILE` prints, "
                "as sha256:HEX.",
            )


def _budgets(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    for index, tenant in enumerate(platform.tenants):
        owned = platform.owned(tenant.name)
        limit = tenant.resources
        needs: tuple[tuple[str, float | None, float, str], ...] = (
            ("cpu", limit.cpu, _sum(owned, lambda model: model.serving.resources.cpu), " cores"),
            (
                "memory",
                limit.memory,
                _sum(owned, lambda model: model.serving.resources.memory or 0),
                " bytes",
            ),
            ("gpu", limit.gpu, _sum(owned, lambda model: model.serving.resources.gpu), ""),
            ("pods", limit.pods, _sum(owned, lambda _model: 1), " replicas"),
        )
        for key, allowed, needed, unit in needs:
            # Thousandths of a core add up with rounding errors.
            if allowed is not None and needed > allowed + 1e-9:
                yield Problem(
                    f"tenants[{index}].resources.{key}",
                    allowed,
                    f"is less than its models take together, {needed:.12g}{unit}",
                    "Raise it, or lower resources or replicas of its models.",
                )


def _sum(models: Sequence[Model], each: Callable[[Model], float]) -> float:
    return sum(each(model) * model.processes for model in models)


def _measured_memory(draft: Draft) -> Iterator[Problem]:
    bounded = {t.name for t in draft.platform.tenants if t.resources.memory is not None}
    for index, model in enumerate(draft.platform.models):
        if model.tenant in bounded and model.serving.resources.memory is None:
            yield Problem(
                f"models[{index}].serving.resources.memory",
                None,
                "is missing",
                f"Add it: the memory of {model.tenant} is limited, so each of its models must "
                "say how much it takes, such as 1Gi.",
            )


def _ports(draft: Draft) -> Iterator[Problem]:
    gateway, observability = draft.platform.gateway, draft.platform.observability
    taken: dict[int, str] = {}
    for path, port in (
        ("platform_gateway.https_port", gateway.https_port),
        ("platform_observability.prometheus_port", observability.prometheus_port),
        ("platform_observability.metrics_port", observability.metrics_port),
    ):
        if port in taken:
            yield Problem(path, port, f"is the port of {taken[port]} too", "Use another port.")
        taken.setdefault(port, path)


def _issuers(draft: Draft) -> Iterator[Problem]:
    own = (draft.platform.base_url, f"{draft.platform.base_url}/{_KEYS_ISSUER}")
    seen: dict[str, str] = {}
    for index, issuer in enumerate(draft.platform.identity.issuers):
        path = f"platform_identity.issuers[{index}]"
        if issuer.name == BUILTIN_ISSUER:
            yield from _builtin_issuer(issuer, path)
            continue
        if issuer.name == _KEYS_ISSUER:
            yield Problem(f"{path}.name", issuer.name, "is kept for API keys", "Use another name.")
        yield from _external_issuer(issuer, path)
        if issuer.issuer in own:
            yield Problem(
                f"{path}.issuer",
                issuer.issuer,
                "is the platform itself",
                "Name the issuer builtin instead, without any other key.",
            )
        elif issuer.issuer in seen:
            yield Problem(
                f"{path}.issuer",
                issuer.issuer,
                f"is the issuer of {seen[issuer.issuer]} too",
                "Write each issuer once, with all its audiences.",
            )
        if issuer.issuer is not None:
            seen.setdefault(issuer.issuer, path)


def _builtin_issuer(issuer: Issuer, path: str) -> Iterator[Problem]:
    for key, field in Issuer.model_fields.items():
        value = getattr(issuer, key)
        if key != "name" and value != field.default:
            yield Problem(
                f"{path}.{field.alias or key}",
                value,
                "does not go with the built-in issuer",
                "Remove it, or give the issuer another name.",
            )


def _external_issuer(issuer: Issuer, path: str) -> Iterator[Problem]:
    if issuer.issuer is None:
        yield Problem(
            f"{path}.issuer", None, "is missing", "Add it: the value of the tokens' iss claim."
        )
    if not issuer.audiences:
        yield Problem(
            f"{path}.audiences",
            None,
            "is missing",
            "Add it: without one, tokens meant for other services would be accepted.",
        )
    if issuer.jwks_uri is None and issuer.jwks_file is None:
        yield Problem(
            f"{path}.jwks_uri", None, "is missing", "Add it, or jwks_file: where its keys are."
        )
    if issuer.jwks_uri is not None:
        yield from _jwks_uri(issuer.jwks_uri, path)
        if issuer.jwks_file is not None:
            yield Problem(
                f"{path}.jwks_file",
                issuer.jwks_file,
                "does not go with jwks_uri",
                "Leave one of the two out.",
            )
    elif issuer.ca_file is not None:
        yield Problem(f"{path}.ca_file", issuer.ca_file, "goes with jwks_uri only", "Leave it out.")
    yield from _jwks_refresh(issuer, path)
    if "://" in issuer.tenant_claim and "." in issuer.tenant_claim:
        yield Problem(
            f"{path}.tenant_claim",
            issuer.tenant_claim,
            "has a dot, which would lead into an object",
            "Let the issuer put the tenant into a claim without a dot in its name.",
        )


def _jwks_refresh(issuer: Issuer, path: str) -> Iterator[Problem]:
    refresh = issuer.jwks_refresh_seconds
    if not _SHORTEST_REFRESH <= refresh <= _LONGEST_REFRESH:
        message, remedy = "is too short or too long", "Use 5s to 24h."
    elif issuer.jwks_uri is None and refresh != Issuer.model_fields["jwks_refresh_seconds"].default:
        message, remedy = "goes with jwks_uri only", "Leave it out."
    else:
        return
    yield Problem(f"{path}.jwks_refresh", format_duration(refresh), message, remedy)


def _jwks_uri(uri: str, path: str) -> Iterator[Problem]:
    try:
        parts = urlsplit(uri)
        port = parts.port  # reading it is what checks it
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    if parts.scheme == "http" and host:
        yield Problem(
            f"{path}.jwks_uri",
            uri,
            "is not protected on its way",
            "Use https, on this machine too; ca_file names an authority of your own.",
        )
    elif (
        parts.scheme != "https"
        or not (is_domain(host) or is_address(host))
        or port == 0
        or parts.username is not None
        or parts.fragment
        # Python drops line ends and tabs, others do not.
        or not re.fullmatch(r"[!-~]+", uri)
    ):
        yield Problem(
            f"{path}.jwks_uri", uri, "is not a URL", "Write it as https://host/path, no password."
        )


def _names_on_the_machine(draft: Draft) -> Iterator[Problem]:
    platform = draft.platform
    if draft.target != "local":
        return
    users: defaultdict[str, list[str]] = defaultdict(list)
    for index, tenant in enumerate(platform.tenants):
        same = users[unix_user(platform.name, f"t-{tenant.name}")]
        # Two tenants of one name are a problem of their own.
        if same and tenant.name not in same:
            yield Problem(
                f"tenants[{index}].name",
                tenant.name,
                f"becomes the same Unix user as {same[0]}",
                "Rename one of the two.",
            )
        same.append(tenant.name)
    longest = max((tenant.name for tenant in platform.tenants), key=len, default="")
    spare = spare_socket_bytes(platform.home, longest)
    if spare < 0:
        yield Problem(
            "platform_home",
            platform.home,
            f"makes the sockets of {longest} longer than {SOCKET_PATH_BYTES} bytes",
            f"Use a folder whose path is {-spare} bytes shorter.",
        )


CHECKS: tuple[Check, ...] = (
    _some_tenant,
    _unique_names,
    _owners,
    _references,
    _callable_by_somebody,
    *PROVIDER_CHECKS,
    _replicas,
    _apis,
    _examples,
    _traffic,
    _versions,
    _checksums,
    _measured_memory,
    _budgets,
    _ports,
    _issuers,
    _names_on_the_machine,
    *CLUSTER_CHECKS,
    *NODE_CHECKS,
    *IMAGE_CHECKS,
    *SERVING_CHECKS,
    lambda draft: refused_settings(draft.platform) if draft.target else iter(()),
)
