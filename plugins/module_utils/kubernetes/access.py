# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people of a tenant may do in its namespace: tenants own models, not routes.

No rule holds a wildcard, and none gives rights on what decides where requests go or who may send them:
routes, gateways, backends, policies of the mesh and of the network, quotas, roles. Nobody may open a
shell or a tunnel in a model server, for that would be a way around tier 1.
"""

from __future__ import annotations

from ..inventory import Tenant
from .objects import Maker, Object

_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete"]

# An LLMInferenceService is not among them: it holds the specification of a route.
_MODELS = ["inferenceservices", "servingruntimes", "trainedmodels", "inferencegraphs"]
# Seen by every role. Names of Secrets are left out: their list would show their contents.
_SEEN: tuple[tuple[str, list[str]], ...] = (
    ("serving.kserve.io", [*_MODELS, "llminferenceservices", "localmodelnamespacecaches"]),
    (
        "",
        [
            "configmaps",
            "events",
            "limitranges",
            "persistentvolumeclaims",
            "pods",
            "pods/log",
            "resourcequotas",
            "services",
        ],
    ),
    ("apps", ["deployments", "replicasets"]),
    ("autoscaling", ["horizontalpodautoscalers"]),
    ("keda.sh", ["scaledobjects"]),
    ("serving.knative.dev", ["configurations", "revisions", "routes", "services"]),
)


def objects(make: Maker, tenant: Tenant) -> list[Object]:
    """Make a tenant's roles, and bind those that somebody has."""
    viewer = [_rule(group, resources, _READ) for group, resources in _SEEN]
    publisher = [
        *viewer,
        _rule("serving.kserve.io", _MODELS, _WRITE),
    ]
    # An admin keeps what models read: credentials for sources, configuration, volumes.
    admin = [
        *publisher,
        _rule("", ["secrets"], [*_READ, *_WRITE]),
        _rule("", ["configmaps", "persistentvolumeclaims"], _WRITE),
        _rule("", ["pods"], ["delete"]),
    ]
    made = []
    for role, rules, subjects in (
        ("admin", admin, tenant.roles.admin),
        ("publisher", publisher, tenant.roles.publisher),
        ("viewer", viewer, tenant.roles.viewer),
    ):
        name = f"inferencebox-{role}"
        made.append(make.namespaced("rbac.authorization.k8s.io/v1 Role", name, {"rules": rules}))
        if subjects:
            made.append(
                make.namespaced(
                    "rbac.authorization.k8s.io/v1 RoleBinding",
                    name,
                    {
                        "roleRef": {
                            "apiGroup": "rbac.authorization.k8s.io",
                            "kind": "Role",
                            "name": name,
                        },
                        "subjects": [_subject(subject) for subject in subjects],
                    },
                )
            )
    return made


def _rule(group: str, resources: list[str], verbs: list[str]) -> Object:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _subject(subject: str) -> Object:
    kind, _, name = subject.partition(":")
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind.capitalize(), "name": name}
