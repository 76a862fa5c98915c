# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory as typed objects: `load` turns variables into a `Platform`, or names all mistakes.

_types, sources          kinds of values          tenants, models, providers, platform    the objects
problems                 pydantic's errors as ours     checks*, draft    what no single value shows
support                  what each target honours      loading      all of it in one go
schema, reference        JSON Schema and the reference page, generated from the objects
"""

from __future__ import annotations

from ..errors import InventoryError, Problem
from .loading import load, select_variables, to_vars
from .models import APIS, LANGUAGE_APIS, PREDICTIVE_APIS, Canary, Model, Serving, Transformer
from .names import NAMESPACES, unix_user
from .platform import (
    BUILTIN_ISSUER,
    Cluster,
    Engine,
    Gateway,
    Identity,
    Images,
    Issuer,
    Observability,
    Platform,
    default_home,
    qualified,
)
from .providers import Provider, ProviderModel
from .reference import reference_markdown, write_reference
from .schema import json_schema
from .sources import SCHEMES, Source, parse_source
from .support import TABLE, not_installed
from .tenants import Limits, Tenant

__all__ = [
    "APIS",
    "BUILTIN_ISSUER",
    "LANGUAGE_APIS",
    "NAMESPACES",
    "PREDICTIVE_APIS",
    "SCHEMES",
    "TABLE",
    "Canary",
    "Cluster",
    "Engine",
    "Gateway",
    "Identity",
    "Images",
    "InventoryError",
    "Issuer",
    "Limits",
    "Model",
    "Observability",
    "Platform",
    "Problem",
    "Provider",
    "ProviderModel",
    "Serving",
    "Source",
    "Tenant",
    "Transformer",
    "default_home",
    "json_schema",
    "load",
    "not_installed",
    "parse_source",
    "qualified",
    "reference_markdown",
    "select_variables",
    "to_vars",
    "unix_user",
    "write_reference",
]
