# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's own certificate authority, and the certificates by which its tiers know each other.

All of them in one step: a dozen module launches for three certificates would take longer than the rest of an install.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import typing as t
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import PlatformError
from .files import FileSpec, write_files

_AUTHORITY_DAYS = 3650
# Valid since before it was made: a caller whose clock is a little behind must not refuse what is new.
_BACKDATED = datetime.timedelta(hours=1)
_USAGES = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
}
_NAMES: t.Mapping[str, t.Callable[[str], x509.GeneralName]] = {
    "DNS": x509.DNSName,
    "URI": x509.UniformResourceIdentifier,
    "IP": lambda value: x509.IPAddress(ipaddress.ip_address(value)),
}


_NEW_AUTHORITY = (
    "stop the platform, remove its pki directory, start it, and give the new ca.crt to callers."
)


class CertificateError(PlatformError):
    """A key or certificate that is there cannot be used."""


@dataclass(frozen=True)
class Authority:
    """Where the authority lies, and what it is called when it is made."""

    certificate: str
    key: str
    common_name: str


@dataclass(frozen=True)
class Certificate:
    """One wanted certificate.

    Attributes:
        name: How results call it.
        path: Path of its files without `.crt` and `.key`.
        common_name: Its subject.
        subject_alt_names: `DNS:...`, `URI:...` or `IP:...` each.
        usage: serverAuth, clientAuth or both.
        owner: Unix user that may read the key.
        group: Its group.
        organization: What Kubernetes takes as a group of the subject; none where it is empty.
    """

    name: str
    path: str
    common_name: str
    subject_alt_names: t.Sequence[str]
    usage: t.Sequence[str]
    organization: str = ""
    owner: str | None = None
    group: str | None = None


def ensure(
    authority: Authority,
    wanted: t.Sequence[Certificate],
    *,
    days: int,
    renew_before_days: int,
    check: bool = False,
) -> list[str]:
    """Issue what is missing, is for others or another use, ends soon, or is not of this authority. Keys that exist are kept.

    Args:
        authority: The authority, made when it is missing; nothing issued by another is valid then.
        wanted: The certificates.
        days: How long what is issued lasts.
        renew_before_days: What ends within so many days is issued anew.
        check: Only tell.

    Returns:
        Names of what was, or would be, issued.

    Raises:
        CertificateError: A file that is there holds no usable key or certificate, or the authority is not valid now.
        PlatformError: A file cannot be written.
    """
    issuer = _load_certificate(authority.certificate)
    issuer_key = _load_key(authority.key)
    if issuer is None or issuer_key is None:
        if check:
            return [one.name for one in wanted]
        issuer_key = issuer_key or ec.generate_private_key(ec.SECP256R1())
        issuer = _self_signed(authority.common_name, issuer_key)
        write_files(
            [
                FileSpec(authority.key, _key_text(issuer_key), 0o600, secret=True),
                FileSpec(authority.certificate, _text(issuer), 0o644),
            ]
        )
    _require_valid(authority.certificate, issuer)
    due = [one for one in wanted if _due(one, issuer, renew_before_days)]
    if not check:
        for one in due:
            _issue(one, issuer, issuer_key, days)
    return [one.name for one in due]


def _require_valid(path: str, issuer: x509.Certificate) -> None:
    """Refuse an authority that nobody trusts now: what it issues would be refused, and nobody would know why."""
    begin, end = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    if begin > _now():
        raise CertificateError(
            f"the authority {path} is not valid before {begin:%Y-%m-%d %H:%M} UTC",
            hint="Look at this machine's clock: it is behind, or was ahead when the platform was installed. If it is "
            f"right, {_NEW_AUTHORITY}",
        )
    if end < _now():
        raise CertificateError(
            f"the authority {path} ended on {end:%Y-%m-%d}",
            hint=f"Look at this machine's clock. If it is right, {_NEW_AUTHORITY}",
        )


def _due(wanted: Certificate, issuer: x509.Certificate, days: int) -> bool:
    certificate = _load_certificate(f"{wanted.path}.crt")
    if certificate is None or not os.path.exists(f"{wanted.path}.key"):
        return True
    if certificate.not_valid_after_utc - _now() < datetime.timedelta(days=days):
        return True
    if certificate.not_valid_before_utc > _now():
        return True  # issued while the machine's clock was ahead
    try:
        certificate.verify_directly_issued_by(issuer)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, ValueError, x509.ExtensionNotFound):
        return True
    return (
        _names_of(certificate) != set(_alternatives(wanted))
        or set(usage) != set(_extended_usage(wanted))
        or certificate.subject != _subject(wanted.common_name, wanted.organization)
    )


def _names_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return set(found.value)


def _issue(
    wanted: Certificate, issuer: x509.Certificate, issuer_key: ec.EllipticCurvePrivateKey, days: int
) -> None:
    key = _load_key(f"{wanted.path}.key") or ec.generate_private_key(ec.SECP256R1())
    subject = _subject(wanted.common_name, wanted.organization)
    builder = (
        _builder(subject, issuer.subject, key, issuer_key, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(_extended_usage(wanted), critical=False)
    )
    if wanted.subject_alt_names:
        names = x509.SubjectAlternativeName(_alternatives(wanted))
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    owned: dict[str, t.Any] = {"owner": wanted.owner, "group": wanted.group}
    write_files(
        [
            FileSpec(f"{wanted.path}.key", _key_text(key), 0o600, secret=True, **owned),
            FileSpec(f"{wanted.path}.crt", _text(certificate), 0o644, **owned),
        ]
    )


def _self_signed(common_name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return (
        _builder(_subject(common_name), _subject(common_name), key, key, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    days: int,
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    begin = _now() - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=days))
        .add_extension(identifier, critical=False)
        .add_extension(authority, critical=False)
    )


def _key_usage(**used: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: used.get(name, False) for name in names})


def _alternatives(wanted: Certificate) -> list[x509.GeneralName]:
    pairs = (name.partition(":") for name in wanted.subject_alt_names)
    return [_NAMES[kind](value) for kind, _, value in pairs]


def _extended_usage(wanted: Certificate) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([_USAGES[name] for name in wanted.usage])


def _subject(common_name: str, organization: str = "") -> x509.Name:
    group = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*group, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _load_certificate(path: str) -> x509.Certificate | None:
    content = _read(path)
    try:
        return None if content is None else x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise CertificateError(
            f"{path} is no certificate", hint="Remove it; the next run makes a new one."
        ) from error


def _load_key(path: str) -> ec.EllipticCurvePrivateKey | None:
    content = _read(path)
    try:
        key = None if content is None else serialization.load_pem_private_key(content, None)
    except (TypeError, ValueError) as error:
        raise CertificateError(
            f"{path} is no private key", hint="Remove it; the next run makes a new one."
        ) from error
    if key is None or isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    raise CertificateError(f"{path} is a key of another kind than the platform's")


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CertificateError(f"cannot read {path}: {error.strerror}") from error


def _text(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
