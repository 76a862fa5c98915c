# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where KServe gets a model's files from, and with whose credentials."""

from __future__ import annotations

from ..inventory import NAMESPACES, Model, Platform, Source
from . import naming
from .objects import Maker, Object

# Where KServe puts a model's files.
MODELS_DIRECTORY = "/mnt/models"
# Beside KServe's manager, which gives each namespace with models a copy.
STORE_AUTHORITIES = "store-authorities"
# https://github.com/kserve/kserve, pkg/constants: DefaultCaBundleFileName
_AUTHORITIES_KEY = "cabundle.crt"


def storage_uri(source: Source) -> str:
    """Write a source as KServe's storage initializer reads it.

    Args:
        source: Where the files come from.

    Returns:
        A storage URI. Of a hub, the whole repository at its revision, which KServe wants after a colon.
    """
    if source.scheme == "hf":
        return f"hf://{source.location.replace('@', ':')}"
    return f"{source.scheme}://{source.location}" + (f"/{source.path}" if source.path else "")


def store_authorities(platform: Platform) -> list[Object]:
    """Make the ConfigMap with the authorities of stores, where the platform has some of its own."""
    given = platform.cluster.store_authorities
    if given is None:
        return []
    return [
        Maker(platform, namespace=NAMESPACES["kserve"]).namespaced(
            "v1 ConfigMap", STORE_AUTHORITIES, {"data": {_AUTHORITIES_KEY: given}}
        )
    ]


def artifact_path(source: Source) -> str:
    """Say where a source's files lie in a pod: a hub's path is one inside its repository."""
    inside = f"/{source.path}" if source.scheme == "hf" and source.path else ""
    return f"{MODELS_DIRECTORY}{inside}"


def service_account_name(model: Model) -> str:
    """Name the identity of a model's pods: the tenant's, or its own where its files need credentials."""
    if model.source_secret is None:
        return naming.MODELS
    return naming.of_model(model)


def service_account(platform: Platform, model: Model) -> Object | None:
    """Make the ServiceAccount through which KServe finds the credentials for a model's files.

    Args:
        platform: The platform.
        model: The model.

    Returns:
        A ServiceAccount that names the Secret and holds none; None where the model needs no credentials.
        A registry's Secret is named where the kubelet looks for it, every other where KServe does.
    """
    if model.source_secret is None:
        return None
    key = "imagePullSecrets" if model.origin.scheme == "oci" else "secrets"
    return Maker(platform, model.tenant).namespaced(
        "v1 ServiceAccount",
        service_account_name(model),
        {"automountServiceAccountToken": False, key: [{"name": model.source_secret}]},
        model=model.name,
    )
