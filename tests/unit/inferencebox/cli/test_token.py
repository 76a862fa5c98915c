# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox token``: what it signs is what the platform's issuer publishes keys for."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import jwt
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host import identity

from .conftest import Cli

_BASE = "https://gateway.inference.localhost:8443"


def _claims(home: Path, token: str) -> dict[str, t.Any]:
    (key,) = jwt.PyJWKSet.from_dict(identity.jwks(str(home / "identity/builtin"))).keys
    return dict(jwt.decode(token, key, algorithms=["ES256"], audience=_BASE, issuer=_BASE))


def test_a_token_speaks_for_the_tenant_for_an_hour(cli: Cli, home: Path) -> None:
    result = cli("token", "tenant-a")
    assert result.code == 0
    claims = _claims(home, result.out.strip())
    assert (claims["tenant"], claims["sub"]) == ("tenant-a", "operator")
    assert abs(claims["exp"] - time.time() - 3600) < 60


@pytest.mark.parametrize(("lifetime", "seconds"), [("90s", 90), ("15m", 900), ("7d", 604800)])
def test_user_and_lifetime_are_asked(cli: Cli, home: Path, lifetime: str, seconds: int) -> None:
    said = cli("token", "tenant-b", "--user", "ada", "--lifetime", lifetime, "--json").json
    claims = _claims(home, said.pop("token"))
    assert said == {"tenant": "tenant-b", "user": "ada", "lifetime_seconds": seconds}
    assert claims["sub"] == "ada"
    assert claims["exp"] - claims["iat"] == seconds


def test_two_tokens_are_never_the_same(cli: Cli, home: Path) -> None:
    tokens = [cli("token", "tenant-a").out.strip() for _ in range(2)]
    assert len({_claims(home, token)["jti"] for token in tokens}) == 2


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["tenant-x"], 1, "tenant-a, tenant-b"),
        (["tenant-a", "--lifetime", "0s"], 2, "is no duration"),
        (["tenant-a", "--lifetime", "1w"], 2, "is no duration"),
        (["tenant-a", "--lifetime", "-1h"], 2, "is no duration"),
    ],
)
def test_a_token_for_nobody_or_no_time_is_refused(
    cli: Cli, arguments: list[str], code: int, said: str
) -> None:
    result = cli("token", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


def test_without_an_issuer_it_says_what_to_do(cli: Cli, home: Path) -> None:
    for file in (home / "identity/builtin").iterdir():
        file.unlink()
    result = cli("token", "tenant-a")
    assert (result.code, result.out) == (1, "")
    assert "no issuer here" in result.err
