# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import stat
import threading
import time
from pathlib import Path

import jwt
import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import IdentityError
from ansible_collections.inferencebox.platform.plugins.module_utils.host import identity

BASE = "https://gateway.inference.localhost:8443"
MINUTE = 60


@pytest.fixture
def place(tmp_path: Path) -> str:
    identity.ensure_issuers(str(tmp_path))
    return str(tmp_path)


def _verify(token: str, key_set: identity.Json) -> dict[str, object]:
    kid = jwt.get_unverified_header(token)["kid"]
    (key,) = (one for one in jwt.PyJWKSet.from_dict(key_set).keys if one.key_id == kid)
    return dict(jwt.decode(token, key, algorithms=["ES256"], audience=BASE))


def _create(place: str, tenant: str, name: str, **more: int) -> tuple[identity.KeyRecord, str]:
    return identity.create_key(place, tenant, name, audience=BASE, issuer=f"{BASE}/keys", **more)


def test_issuers_are_made_once(tmp_path: Path) -> None:
    directory = str(tmp_path)
    assert identity.ensure_issuers(directory, check=True)
    assert os.listdir(tmp_path) == []
    assert identity.ensure_issuers(directory)
    first = identity.key_sets(directory, {})
    assert not identity.ensure_issuers(directory)
    assert identity.key_sets(directory, {}) == first
    assert first["builtin"] != first["keys"]
    for pem in tmp_path.glob("*/*.pem"):
        assert stat.S_IMODE(pem.stat().st_mode) == 0o600


def test_a_token_says_what_was_asked_and_verifies(place: str) -> None:
    token = identity.mint_token(place, "tenant-a", "ada", BASE, BASE, MINUTE)
    key_set = identity.key_sets(place, {})["builtin"]
    claims = _verify(token, key_set)
    assert {"tenant": "tenant-a", "sub": "ada", "iss": BASE}.items() <= claims.items()
    assert sorted(claims) == ["aud", "exp", "iat", "iss", "jti", "nbf", "sub", "tenant"]
    assert abs(float(str(claims["exp"])) - time.time() - MINUTE) < 5
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "ES256", "kid": key_set["keys"][0]["kid"], "typ": "JWT"}
    assert "d" not in key_set["keys"][0]


def _kids(place: str) -> list[str]:
    return [key["kid"] for key in identity.jwks(f"{place}/builtin")["keys"]]


def _token(place: str) -> str:
    return identity.mint_token(place, "tenant-a", "ada", BASE, BASE, MINUTE)


def test_rotation_overlaps(place: str) -> None:
    directory = f"{place}/builtin"
    old = _token(place)
    (first,) = _kids(place)
    second = identity.announce_key(directory)
    assert identity.announce_key(directory) == second, "an interrupted rotation is continued"
    assert _kids(place) == sorted([first, second])
    known = identity.jwks(directory)
    assert jwt.get_unverified_header(_token(place))["kid"] == first, "nobody may know the next yet"
    proof = identity.announced_token(place, "tenant-a", "ada", BASE, BASE)
    assert jwt.get_unverified_header(proof)["kid"] == second
    assert _verify(proof, identity.jwks(directory))["tenant"] == "tenant-a"
    assert identity.rotate(directory, overlap_seconds=MINUTE) == second
    assert identity.jwks(directory) == known, "a verifier has nothing to read anew"
    new = _token(place)
    assert jwt.get_unverified_header(new)["kid"] == second
    for token in (old, new):
        _verify(token, identity.jwks(directory))
    assert [one.stem for one in Path(directory).glob("*.pem")] == [second], (
        "its private half is gone"
    )
    states = [(row["id"], row["state"]) for row in identity.signing_keys(directory)]
    assert states == [(second, "signing"), (first, "retired")]


def test_tokens_are_made_while_the_key_is_rotated(place: str) -> None:
    directory = f"{place}/builtin"
    failed: list[IdentityError] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                _token(place)
            except IdentityError as error:
                failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(50):
        identity.announce_key(directory)
        identity.rotate(directory, overlap_seconds=0)
    ended.set()
    thread.join()
    assert not failed


def test_a_retired_key_is_accepted_until_its_tokens_have_ended(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = f"{place}/builtin"
    identity.announce_key(directory)
    identity.rotate(directory, overlap_seconds=MINUTE)
    assert not identity.ensure_issuers(place)
    assert len(_kids(place)) == 2
    later = time.time() + MINUTE + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert identity.ensure_issuers(place, check=True)
    assert len(_kids(place)) == 2
    assert identity.ensure_issuers(place)
    assert len(_kids(place)) == 1
    assert not identity.ensure_issuers(place)


def test_rotation_may_refuse_everything_of_before(place: str) -> None:
    directory = f"{place}/builtin"
    for overlap in (MINUTE, MINUTE, 0):
        identity.announce_key(directory)
        identity.rotate(directory, overlap_seconds=overlap)
    assert _kids(place) == [jwt.get_unverified_header(_token(place))["kid"]]


def test_no_key_signs_that_was_not_announced(place: str) -> None:
    with pytest.raises(IdentityError, match="no key was announced"):
        identity.rotate(f"{place}/builtin", overlap_seconds=MINUTE)
    with pytest.raises(IdentityError, match="no key was announced"):
        identity.announced_token(place, "tenant-a", "ada", BASE, BASE)


def test_a_token_lives_no_longer_than_a_retired_key(place: str) -> None:
    longest = identity.LONGEST_TOKEN_SECONDS
    identity.mint_token(place, "tenant-a", "ada", BASE, BASE, longest)
    with pytest.raises(IdentityError, match="30 days at most"):
        identity.mint_token(place, "tenant-a", "ada", BASE, BASE, longest + 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kids": []}', '{"kids": ["a"], "retired": [1]}'])
def test_a_damaged_issuer_says_what_to_do(place: str, text: str) -> None:
    Path(place, "builtin/issuer.json").write_text(text)
    remedy = f"remove {place}/builtin, which ends every token, and run `up`"
    with pytest.raises(IdentityError, match=remedy):
        identity.ensure_issuers(place)
    with pytest.raises(IdentityError, match=remedy):
        _token(place)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": [{"id": "a"}]}'])
def test_a_damaged_list_of_keys_says_what_to_do(place: str, text: str) -> None:
    _create(place, "tenant-a", "ci")
    Path(place, "keys/keys.json").write_text(text)
    with pytest.raises(IdentityError, match="which ends every API key"):
        identity.active_keys(place)


def test_a_damaged_key_set_is_made_again(place: str) -> None:
    path = Path(place, "builtin/jwks.json")
    before = path.read_text()
    path.write_text(before[:20])
    assert identity.ensure_issuers(place)
    assert path.read_text() == before
    path.unlink()
    assert identity.ensure_issuers(place)
    assert path.read_text() == before


def test_keys_of_a_tenant_that_left_are_revoked(place: str) -> None:
    kept, _ = _create(place, "tenant-a", "ci")
    gone, _ = _create(place, "tenant-b", "ci")
    assert [one.id for one in identity.revoke_strangers(place, ["tenant-a"], check=True)] == [
        gone.id
    ]
    assert len(identity.active_keys(place)) == 2
    assert [one.id for one in identity.revoke_strangers(place, ["tenant-a"])] == [gone.id]
    assert identity.active_keys(place) == [kept]
    assert identity.revoke_strangers(place, ["tenant-a"]) == []
    # It comes back, and its key does not.
    assert identity.revoke_strangers(place, ["tenant-a", "tenant-b"]) == []
    assert identity.active_keys(place) == [kept]


def test_what_is_kept_of_a_key_is_no_key(place: str) -> None:
    record, key = _create(place, "tenant-a", "ci", requests_per_minute=5)
    path = Path(place, "keys/keys.json")
    kept = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key not in kept
    assert key.rsplit(".", 1)[1] not in kept, "nor its signature"
    claims = _verify(key, identity.key_sets(place, {})["keys"])
    assert (claims["jti"], claims["tenant"], claims["sub"]) == (record.id, "tenant-a", "key:ci")
    assert claims["exp"] == record.expires
    assert identity.list_keys(place) == [record]
    assert "fingerprint" not in record.public()


def test_keys_end_by_revocation_and_by_time(place: str) -> None:
    first, _ = _create(place, "tenant-a", "ci")
    with pytest.raises(IdentityError, match="has an active key named 'ci'"):
        _create(place, "tenant-a", "ci")
    other, _ = _create(place, "tenant-b", "ci")
    with pytest.raises(IdentityError, match="several tenants.*tenant-a, tenant-b"):
        identity.revoke_key(place, "ci")
    assert identity.revoke_key(place, "ci", "tenant-a").id == first.id
    assert identity.active_keys(place) == [other]
    again = identity.revoke_key(place, first.id)
    assert again.revoked, "revoking it again is no error"
    second, _ = _create(place, "tenant-a", "ci", expires=int(time.time()) + MINUTE)
    assert second.active()
    assert not second.active(time.time() + 2 * MINUTE)
    assert identity.active_keys(place, "tenant-a") == [second]
    with pytest.raises(IdentityError, match="no active key 'nightly'"):
        identity.revoke_key(place, "nightly")


def test_impossible_keys_are_refused(place: str) -> None:
    with pytest.raises(IdentityError, match="expired already"):
        _create(place, "tenant-a", "ci", expires=int(time.time()) - 1)
    with pytest.raises(IdentityError, match="at least 1, not 0"):
        _create(place, "tenant-a", "ci", requests_per_minute=0)
    with pytest.raises(IdentityError, match="more than 0 seconds"):
        identity.mint_token(place, "tenant-a", "ada", BASE, BASE, 0)
    assert identity.list_keys(place) == []


def test_concurrent_changes_lose_nothing(place: str) -> None:
    threads = [
        threading.Thread(target=_create, args=(place, "tenant-a", f"key-{number}"))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = sorted(one.name for one in identity.list_keys(place))
    assert names == sorted(f"key-{number}" for number in range(12))


def test_a_foreign_key_set_is_read_and_a_private_one_refused(place: str, tmp_path: Path) -> None:
    path = tmp_path / "corp.json"
    public = identity.key_sets(place, {})["builtin"]
    path.write_text(json.dumps(public))
    assert identity.key_sets(place, {"corp": str(path)})["corp"] == public
    path.write_text(json.dumps({"keys": [{**public["keys"][0], "d": "secret"}]}))
    with pytest.raises(IdentityError, match="holds a private key"):
        identity.key_sets(place, {"corp": str(path)})
    path.write_text("[]")
    with pytest.raises(IdentityError, match="cannot be read as a JSON Web Key Set"):
        identity.key_sets(place, {"corp": str(path)})


@pytest.mark.parametrize(
    "key",
    [
        None,
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "secp256k1", "x": "A" * 43, "y": "A" * 43},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "unknown"},
        {"use": "enc"},
    ],
    ids=str,
)
def test_a_key_set_that_verifies_nothing_is_refused(
    place: str, tmp_path: Path, key: dict[str, str] | None
) -> None:
    (good,) = identity.key_sets(place, {})["builtin"]["keys"]
    bad = {**good, **key} if key == {"use": "enc"} else key
    path = tmp_path / "corp.json"
    path.write_text(json.dumps({"keys": [] if bad is None else [bad]}))
    with pytest.raises(IdentityError, match="no key that verifies"):
        identity.key_sets(place, {"corp": str(path)})
    path.write_text(json.dumps({"keys": [*([] if bad is None else [bad]), good]}))
    assert identity.key_sets(place, {"corp": str(path)})["corp"]["keys"][-1] == good


def test_certificates_of_others_are_read_and_private_keys_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    with pytest.raises(IdentityError, match="cannot be read as certificates"):
        identity.authorities({"corp": str(path)})
    path.write_text("-----BEGIN CERTIFICATE-----\n")
    assert identity.authorities({"corp": str(path)}) == {"corp": path.read_text()}
    path.write_text(path.read_text() + "-----BEGIN EC PRIVATE KEY-----\n")
    with pytest.raises(IdentityError, match="holds a private key"):
        identity.authorities({"corp": str(path)})
    path.write_bytes(b"\xff")
    with pytest.raises(IdentityError, match="cannot be read as certificates"):
        identity.authorities({"corp": str(path)})


def test_without_an_issuer_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="no issuer here.*make up"):
        identity.mint_token(str(tmp_path), "tenant-a", "ada", BASE, BASE, MINUTE)
