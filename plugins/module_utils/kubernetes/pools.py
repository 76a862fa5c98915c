# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may talk to whom around a model on llm-d: its servers, and the scheduler that chooses among them.

Tier 2 asks the scheduler for a server, and then that server. The scheduler reads the servers' figures, and from the API
server which ones there are. KServe makes all of these pods and the scheduler's ServiceAccount.
https://github.com/kserve/kserve, config/llmisvcconfig/config-llm-scheduler.yaml
"""

from __future__ import annotations

from ..inventory import Model, Platform
from . import naming, network, storage_hosts
from .objects import Maker, Object

_SERVER_PORT = 8000
_SCHEDULER_PORTS = (9002, 9003)
# The API server has no labels; it is one of these ports of whatever address.
_API_PORTS = (443, 6443)
_MESH = "security.istio.io/v1"


def network_policies(platform: Platform, make: Maker, model: Model) -> list[Object]:
    """Open the ways that the pods of a model on llm-d need."""
    tier2 = network.peer(platform.cluster.namespace, naming.TIER2_LABELS)
    made = []
    for service in naming.pool_services(model):
        servers = {"matchLabels": naming.pool_labels(service, naming.WORKLOAD)}
        scheduler = {"matchLabels": naming.pool_labels(service, naming.SCHEDULER)}
        fetched = [network.to_public(443)] if storage_hosts.fetching([model]) else []
        made += [
            network.policy(
                make,
                naming.shortened(f"allow-{service}-servers"),
                pods=servers,
                ingress=[
                    {
                        "from": [tier2, {"podSelector": scheduler}],
                        "ports": network.tcp(_SERVER_PORT),
                    }
                ],
                egress=fetched or None,
            ),
            network.policy(
                make,
                naming.shortened(f"allow-{service}-scheduler"),
                pods=scheduler,
                ingress=[{"from": [tier2], "ports": network.tcp(*_SCHEDULER_PORTS)}],
                egress=[
                    {"to": [{"podSelector": servers}], "ports": network.tcp(_SERVER_PORT)},
                    {"ports": network.tcp(*_API_PORTS)},
                ],
            ),
        ]
    return made


def callers(platform: Platform, make: Maker, model: Model) -> list[Object]:
    """Say by identity who may call the pods of a model on llm-d."""
    tier2 = naming.tier_principal(platform, naming.TIER2)
    made = []
    for service in naming.pool_services(model):
        # As KServe names it: longer than a label it does not get, since names of models are short.
        scheduler = naming.principal(model.tenant, f"{service}-epp-sa")
        for component, principals in (
            (naming.WORKLOAD, [tier2, scheduler]),
            (naming.SCHEDULER, [tier2]),
        ):
            rules = [{"from": [{"source": {"principals": principals}}]}]
            selector = {"matchLabels": naming.pool_labels(service, component)}
            made.append(
                make.namespaced(
                    f"{_MESH} AuthorizationPolicy",
                    naming.shortened(f"allow-{service}-{component}"),
                    {"spec": {"selector": selector, "action": "ALLOW", "rules": rules}},
                    model=model.name,
                )
            )
    return made
