# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What models on a node are asked to see that their callers are answered."""

from __future__ import annotations

import typing as t

from ..inventory import Model, Platform
from ..kubernetes import naming, records
from .layout import Layout

Data = dict[str, t.Any]

_BUILTIN = "builtin"


def asked(layout: Layout) -> Data:
    """Arguments of the module models_answering.

    Models that may have no replica are left alone: asking would start one. So are all where the platform vouches for nobody
    itself, where tier 1 has no port on the node, and where nothing is waited for.
    """
    platform = layout.platform
    cluster = platform.cluster
    known = any(issuer.name == _BUILTIN for issuer in platform.identity.issuers)
    reached = cluster.service_type == "NodePort"
    asks = cluster.wait and known and reached
    return {
        "gateway": {
            "address": layout.address,
            "port": platform.gateway.https_port,
            "name": naming.gateway_host(platform),
            "ca_file": records.ca_file(platform),
        },
        "base_url": platform.base_url,
        "identity": f"{platform.home}/identity",
        "questions": [row for model in platform.models if (row := _question(platform, model))]
        if asks
        else [],
        "timeout": cluster.ready_timeout,
    }


def _question(platform: Platform, model: Model) -> Data | None:
    example = records.example(model)
    callers = [tenant.name for tenant in platform.tenants if model in platform.allowed(tenant.name)]
    if model.serving.replicas.min == 0 or not callers:
        return None
    who = {"model": model.name, "tenant": model.tenant if model.tenant in callers else callers[0]}
    if example is not None:
        body = dict(example["body"])
        # That it answers is enough to know.
        body |= {"max_tokens": 1} if "max_tokens" in body else {}
        return {**who, "path": example["path"], "body": body}
    if "v2" in model.publish.apis:
        return {**who, "path": f"/v2/models/{model.name}/ready"}
    return None
