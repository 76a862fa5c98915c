# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What belongs to tenants: a secret for each model, which its server and tier 2 share."""

from __future__ import annotations

import hashlib
import typing as t

import pytest

MODELS = (("tenant-a", "iris"), ("tenant-b", "smollm2"))
# 32 random bytes in base64url.
SECRET_CHARACTERS = 43


@pytest.mark.parametrize(("tenant", "model"), MODELS)
def test_only_the_tenant_and_tier_2_read_a_secret(
    tenant: str, model: str, described: t.Any, owned: t.Any
) -> None:
    server = described(f"replicas/{tenant}/{model}.secret")
    assert server == owned("installer", f"t-{tenant}", "0640")
    assert described(f"tier2/credentials/{tenant}.{model}") == owned("tier2", "tier2", "0640")


@pytest.mark.parametrize(("tenant", "model"), MODELS)
def test_both_sides_hold_the_same_secret(
    tenant: str, model: str, host: t.Any, instance: t.Any
) -> None:
    secret = host.file(instance.path(f"replicas/{tenant}/{model}.secret")).content_string
    header = host.file(instance.path(f"tier2/credentials/{tenant}.{model}")).content_string
    assert len(secret) == SECRET_CHARACTERS
    # Compared by their digests, so that a failure does not show them.
    assert digest(header.removeprefix("Bearer ")) == digest(secret)


def test_no_two_models_share_a_secret(host: t.Any, instance: t.Any) -> None:
    paths = [instance.path(f"replicas/{tenant}/{model}.secret") for tenant, model in MODELS]
    assert len({digest(host.file(path).content_string) for path in paths}) == len(MODELS)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
