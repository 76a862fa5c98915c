# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Issuers beside the built-in one: whose tokens are accepted, for whom, and what becomes of them when one is away."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import itertools
import json
import socket
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.ports import free_ports
from tests.tls import Authority

from .client import Caller
from .errors import check_error
from .issuers import ForeignIssuer, Json, KeyServer, SigningKey
from .own_platform import OwnPlatform
from .platform_json import Platform

pytestmark = pytest.mark.disruptive

_PATH = "/v1/models"
_TENANT = "tenant-a"
# The shortest that an inventory may say.
_REFRESH_SECONDS = 5
# For a loaded machine; what is waited for comes within seconds.
_PATIENCE_SECONDS = 120.0
# Key ids are no names: two issuers may well use the same.
_SHARED = "shared"


@dataclass(frozen=True)
class Federation:
    """A platform with issuers of many kinds.

    Attributes:
        issuers: Those whose keys can be had when the platform starts, by name.
        away: Those whose keys cannot, and why not, by name.
        servers: Servers of keys, by name of the issuer.
        jwks_file: Where the issuer `filed` has its keys.
    """

    platform: Platform
    own: OwnPlatform
    issuers: dict[str, ForeignIssuer]
    away: dict[str, ForeignIssuer]
    servers: dict[str, KeyServer]
    jwks_file: Path

    def ask(self, token: str) -> t.Any:
        """What a caller with this token is answered."""
        with Caller(self.platform, token) as caller:
            return caller.get(_PATH)

    def eventually(self, token: str, status: int) -> None:
        """Wait until a token is answered with a status."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (answer := self.ask(token)).status_code != status:
            assert time.monotonic() < deadline, (answer.status_code, answer.text)
            time.sleep(0.2)


@pytest.fixture(scope="module")
def federation(
    own: OwnPlatform, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Federation]:
    """The suite's own platform with external issuers; at the end it is as it was."""
    directory = tmp_path_factory.mktemp("issuers")
    (directory / "other").mkdir()
    authority, other = Authority(directory), Authority(directory / "other")
    ipv6 = _has_ipv6()
    named, address, six, down, impostor, misnamed = free_ports(6)
    servers = {
        "named": KeyServer(authority, named, "localhost"),
        "address": KeyServer(authority, address),
        "six": KeyServer(authority, six, address="::1" if ipv6 else "127.0.0.1"),
        "down": KeyServer(authority, down),
        "impostor": KeyServer(other, impostor, "localhost"),
        "misnamed": KeyServer(authority, misnamed, "keys.example", "127.0.0.2"),
    }
    hosts = {"named": "localhost", "impostor": "localhost"} | ({"six": "[::1]"} if ipv6 else {})
    jwks_file = directory / "keys.json"

    def issuer(name: str, *keys: SigningKey, **more: t.Any) -> ForeignIssuer:
        settings = more.pop("settings", {})
        if name in servers:
            found = servers[name].settings(hosts.get(name, "127.0.0.1"), authority.ca_file)
            settings = {**found, "jwks_refresh": f"{_REFRESH_SECONDS}s", **settings}
        made = ForeignIssuer(name, list(keys), settings=settings, **more)
        if name in servers:
            servers[name].issuer = made
        return made

    there = [
        issuer(
            "filed",
            SigningKey.new("filed-rsa", "RS256"),
            SigningKey.new("filed-ec", "ES256"),
            SigningKey.new("filed-ed", "EdDSA"),
            settings={
                "jwks_file": str(jwks_file),
                "algorithms": ["RS256", "ES256", "EdDSA"],
            },
        ),
        issuer(
            "named", SigningKey.new(_SHARED, "ES256"), audiences=("named", "second"), claim="org"
        ),
        issuer(
            "address",
            SigningKey.new(_SHARED, "RS256"),
            audiences=("address",),
            claim="realm.tenant",
            settings={"algorithms": ["RS256"]},
        ),
        issuer("six", SigningKey.new("six", "EdDSA")),
    ]
    away = [
        issuer("down", SigningKey.new("down", "ES256")),
        issuer("impostor", SigningKey.new("impostor", "ES256")),
        issuer("misnamed", SigningKey.new("misnamed", "ES256")),
        issuer(
            "lost",
            SigningKey.new("lost", "ES256"),
            settings={"jwks_uri": "https://keys.invalid/keys"},
        ),
    ]
    jwks_file.write_bytes(there[0].jwks)
    before: list[Json] = []

    def with_issuers(present: Json) -> Json:
        before.append(copy.deepcopy(present))
        return {**present, "issuers": [*present["issuers"], *(one.entry for one in there + away)]}

    own.change("platform_identity", with_issuers)
    try:
        for name, server in servers.items():
            if name != "down":
                server.start()
        own.up("--tags", "ai_gateway")
        made = Federation(
            platform,
            own,
            {one.name: one for one in there},
            {one.name: one for one in away},
            servers,
            jwks_file,
        )
        for one in there:
            made.eventually(one.token(_TENANT), 200)
        yield made
    finally:
        own.change("platform_identity", lambda _: before[0])
        own.up("--tags", "ai_gateway")
        for server in servers.values():
            server.stop()


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def _well(federation: Federation, tokens: t.Mapping[str, str]) -> None:
    """Nobody suffers who has nothing to do with it: the built-in issuer and the other external ones."""
    assert federation.ask(tokens[_TENANT]).status_code == 200
    for name, issuer in federation.issuers.items():
        answer = federation.ask(issuer.token(_TENANT))
        assert answer.status_code == 200, (name, answer.text)


@pytest.mark.parametrize(
    ("name", "index"),
    [("filed", 0), ("filed", 1), ("filed", 2), ("named", 0), ("address", 0), ("six", 0)],
)
def test_a_tenants_token_of_any_issuer_shows_that_tenants_models(
    federation: Federation, name: str, index: int
) -> None:
    issuer = federation.issuers[name]
    for tenant, models in federation.platform.tenants.items():
        answer = federation.ask(issuer.token(tenant, issuer.keys[index]))
        assert answer.status_code == 200, answer.text
        assert {each["id"] for each in answer.json()["data"]} == set(models)


def test_a_foreign_token_reaches_its_tenants_models_and_no_other(federation: Federation) -> None:
    platform = federation.platform
    for issuer in federation.issuers.values():
        for tenant in platform.tenants:
            with Caller(platform, issuer.token(tenant)) as caller:
                for model in platform.usable_by(tenant):
                    if "v1" in model.apis:
                        answer = caller.post(model.example_path, model.example_body)
                        assert answer.status_code == 200, (issuer.name, answer.text)
                for model in platform.hidden_from(tenant):
                    answer = caller.post(model.example_path, model.example_body)
                    check_error(answer, model.example_path, 404)


def test_every_audience_of_an_issuer_is_accepted(federation: Federation) -> None:
    issuer = federation.issuers["named"]
    for audience in (*issuer.audiences, ["elsewhere", issuer.audiences[1]]):
        answer = federation.ask(issuer.sign({**issuer.claims(_TENANT), "aud": audience}))
        assert answer.status_code == 200, audience


Make = t.Callable[[Federation], str]


def _changed(name: str, **claims: t.Any) -> Make:
    """Signed well, with claims changed; one of the value `...` is left out."""

    def make(federation: Federation) -> str:
        issuer = federation.issuers[name]
        changed = {**issuer.claims(_TENANT), **claims}
        return issuer.sign({key: value for key, value in changed.items() if value is not ...})

    return make


def _with_algorithm(name: str, algorithm: str) -> Make:
    def make(federation: Federation) -> str:
        issuer = federation.issuers[name]
        return issuer.sign(issuer.claims(_TENANT), algorithm=algorithm)

    return make


def _pretending(signer: str, victim: str, *, own_key_id: bool) -> Make:
    """Signed by one issuer, in the name of another."""

    def make(federation: Federation) -> str:
        one, other = federation.issuers[signer], federation.issuers[victim]
        header = None if own_key_id else {"kid": other.keys[0].id}
        return one.sign(other.claims(_TENANT), header=header)

    return make


def _in_the_platforms_name(path: str) -> Make:
    """Signed by an external issuer, in the name of one of the platform's own."""

    def make(federation: Federation) -> str:
        issuer, base = federation.issuers["filed"], federation.platform.base_url
        claims = {**issuer.claims(_TENANT), "iss": f"{base}{path}", "aud": base, "jti": "x"}
        return issuer.sign(claims, key=issuer.keys[1])

    return make


def _with_key_id(key_id: str | None) -> Make:
    def make(federation: Federation) -> str:
        issuer = federation.issuers["six"]
        return issuer.sign(issuer.claims(_TENANT), header={"kid": key_id} if key_id else {})

    return make


def _by_public_key(name: str) -> Make:
    """The classic confusion: the public key as a shared secret."""

    def make(federation: Federation) -> str:
        issuer = federation.issuers[name]
        pem = (
            issuer.keys[0]
            .private.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        header = {"alg": "HS256", "typ": "JWT", "kid": issuer.keys[0].id}
        parts = [json.dumps(part).encode() for part in (header, issuer.claims(_TENANT))]
        signed = b".".join(_b64(part) for part in parts)
        return (signed + b"." + _b64(hmac.new(pem, signed, hashlib.sha256).digest())).decode()

    return make


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


_NAMES = ("filed", "named", "address", "six")
_HOSTILE: dict[str, Make] = {
    "audience of another issuer": _changed("named", aud="address"),
    "audience of the platform": lambda f: _changed("named", aud=f.platform.base_url)(f),
    "no audience": _changed("named", aud=...),
    "no expiry": _changed("named", exp=...),
    "expired": _changed("named", exp=1),
    "not yet": _changed("named", nbf=4_000_000_000),
    "no tenant": _changed("named", org=...),
    "tenant in another claim than the issuer's": _changed("named", org=..., tenant=_TENANT),
    "tenant that is none": _changed("named", org="nobody"),
    "tenant in a list": _changed("named", org=[_TENANT]),
    "tenant is a number": _changed("named", org=1),
    "nested claim missing": _changed("address", realm=...),
    "nested claim as one name": _changed("address", **{"realm": ..., "realm.tenant": _TENANT}),
    "nested claim is text": _changed("address", realm=_TENANT),
    "nested claim one deeper": _changed("address", realm={"tenant": {"tenant": _TENANT}}),
    "RS512 where RS256 is pinned": _with_algorithm("address", "RS512"),
    "PS256 where RS256 is pinned": _with_algorithm("address", "PS256"),
    "RS384 where three are pinned": _with_algorithm("filed", "RS384"),
    "HS256 with an RSA key": _by_public_key("address"),
    "HS256 with an elliptic curve key": _by_public_key("named"),
    "HS256 with an Edwards curve key": _by_public_key("six"),
    "key id unknown": _with_key_id("unknown"),
    "key id of another issuer": _with_key_id(_SHARED),
    "in the name of the built-in issuer": _in_the_platforms_name(""),
    "in the name of the issuer of API keys": _in_the_platforms_name("/keys"),
    **{
        f"{signer} in the name of {victim}, {'own' if own else 'its'} key id": _pretending(
            signer, victim, own_key_id=own
        )
        for (signer, victim), own in itertools.product(
            itertools.permutations(_NAMES, 2), (True, False)
        )
    },
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_token_is_refused(federation: Federation, name: str) -> None:
    check_error(federation.ask(_HOSTILE[name](federation)), _PATH, 401)


def test_a_token_without_key_id_is_tried_with_its_issuers_keys(federation: Federation) -> None:
    assert federation.ask(_with_key_id(None)(federation)).status_code == 200


@pytest.mark.parametrize("name", ["down", "impostor", "misnamed", "lost"])
def test_an_issuer_whose_keys_cannot_be_had_is_not_believed(
    federation: Federation, tokens: dict[str, str], name: str
) -> None:
    check_error(federation.ask(federation.away[name].token(_TENANT)), _PATH, 401)
    _well(federation, tokens)


def test_an_issuer_that_was_down_at_the_start_is_heard_when_it_is_back(
    federation: Federation, tokens: dict[str, str]
) -> None:
    token = federation.away["down"].token(_TENANT)
    check_error(federation.ask(token), _PATH, 401)
    federation.servers["down"].start()
    federation.eventually(token, 200)
    _well(federation, tokens)


def test_keys_stay_while_the_issuer_is_down(federation: Federation, tokens: dict[str, str]) -> None:
    issuer, server = federation.issuers["named"], federation.servers["named"]
    server.stop()
    try:
        # Long enough for several tries to fetch them.
        until = time.monotonic() + 4 * _REFRESH_SECONDS
        while time.monotonic() < until:
            # Each with another signature, so that it is verified.
            assert federation.ask(issuer.token(_TENANT)).status_code == 200
            time.sleep(0.5)
        _well(federation, tokens)
    finally:
        server.start()


def test_a_new_key_of_an_issuer_is_noticed_and_a_withdrawn_one_forgotten(
    federation: Federation, tokens: dict[str, str]
) -> None:
    issuer = federation.issuers["named"]
    (old,) = issuer.keys
    new = SigningKey.new("rotated", "ES256")
    check_error(federation.ask(issuer.token(_TENANT, new)), _PATH, 401)
    issuer.keys = [new, old]
    federation.eventually(issuer.token(_TENANT, new), 200)
    assert federation.ask(issuer.token(_TENANT, old)).status_code == 200
    issuer.keys = [new]
    federation.eventually(issuer.token(_TENANT, old), 401)
    _well(federation, tokens)


def test_a_new_key_file_counts_after_the_next_run(
    federation: Federation, tokens: dict[str, str]
) -> None:
    issuer = federation.issuers["filed"]
    old, new = issuer.keys[0], SigningKey.new("filed-new", "ES256")
    issuer.keys = [new]
    federation.jwks_file.write_bytes(issuer.jwks)
    federation.own.up("--tags", "ai_gateway")
    federation.eventually(issuer.token(_TENANT, new), 200)
    check_error(federation.ask(issuer.token(_TENANT, old)), _PATH, 401)
    _well(federation, tokens)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("keys", "cannot be read as a JSON Web Key Set"),
        ('{"keys": []}', "holds no key that verifies signatures"),
        ('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "holds a private key"),
    ],
)
def test_a_file_without_keys_is_refused_and_the_old_ones_stay(
    federation: Federation, content: str, said: str
) -> None:
    issuer = federation.issuers["filed"]
    federation.jwks_file.write_text(content)
    try:
        with pytest.raises(RuntimeError, match=said):
            federation.own.up("--tags", "ai_gateway")
        assert federation.ask(issuer.token(_TENANT)).status_code == 200
    finally:
        federation.jwks_file.write_bytes(issuer.jwks)
