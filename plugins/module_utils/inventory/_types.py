# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of value an inventory holds: names, durations, quantities, ports.

Every kind refuses by a sentence and a remedy, never by a regular expression that a person would
have to read.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

# Type of the errors raised by `refuse`; problems.py takes message and remedy from their context.
REFUSED = "inventory_refused"

# A context under which text is kept as it is, right or wrong. loading.py uses it to look at how the
# parts of a faulty inventory fit together, after the faulty values have been noted.
DRAFT = {"draft": True}

# RFC 1123, section 2.1, in lower case and starting with a letter as RFC 1035 asks: such a name is
# valid as Kubernetes namespace, host name label, SPIFFE path segment and Unix user alike.
LABEL_PATTERN = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
_LABEL = re.compile(LABEL_PATTERN)
_DOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_VERSION = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_CHECKSUM = re.compile(r"^sha256:[0-9a-f]{64}$")
_HEADER = re.compile(r"^[a-z0-9][a-z0-9-]*$")
# A tag or a digest is demanded: `latest` by omission is nobody's decision.
# A host as images name it: with a dot or a port, or localhost. Others would be folders of the default registry.
_REGISTRY = re.compile(
    r"^(localhost|[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+|[a-z0-9][a-z0-9.-]*(?=:))(:[0-9]{1,5})?"
    r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$"
)
_IMAGE = re.compile(
    r"^[a-z0-9][a-zA-Z0-9.:-]*(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$"
)

# RFC 7468, section 5.1. Comments between certificates, which many bundles have, are nobody's harm.
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n([^-]+)-----END CERTIFICATE-----")

# The digits are bounded so that no number is too large to reckon with.
_DURATION = re.compile(r"^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_QUANTITY = re.compile(r"^(\d{1,15}(?:\.\d{1,9})?)([A-Za-z]*)$")
# More than any machine has.
_MANY_CORES = 1_000_000

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_BYTES = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


class Section(BaseModel):
    """One mapping of the inventory: no unknown keys, no changes after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def refuse(message: str, remedy: str) -> PydanticCustomError:
    """Build the error with which a value is refused.

    Args:
        message: What is wrong, as the rest of a sentence that starts with the path.
        remedy: What would be right, as a sentence.

    Returns:
        The error, to be raised inside a validator.
    """
    return PydanticCustomError(REFUSED, "{message}", {"message": message, "remedy": remedy})


def ruled(rule: Callable[[str], None]) -> AfterValidator:
    """Turn a rule about text into a validator that a draft skips.

    Args:
        rule: Returns for text that is right and raises `refuse(...)` for text that is not.
    """

    def check(value: str, info: ValidationInfo) -> str:
        if info.context != DRAFT:
            rule(value)
        return value

    return AfterValidator(check)


def label_rule(longest: int) -> Callable[[str], None]:
    """Make the rule of a DNS label of at most `longest` characters."""

    def rule(value: str) -> None:
        if not _LABEL.fullmatch(value):
            raise refuse(
                "is not a DNS label",
                "Use lower case letters, digits and dashes; start with a letter, end without dash.",
            )
        if len(value) > longest:
            raise refuse(f"is {len(value)} characters long", f"Use at most {longest} characters.")

    return rule


def is_domain(value: str) -> bool:
    """Tell whether text is a domain name that leaves room for a label before it."""
    return len(value) <= 200 and _DOMAIN.fullmatch(value) is not None


def _domain_rule(value: str) -> None:
    if not is_domain(value):
        raise refuse(
            "is not a domain name", "Write labels joined by dots, such as inference.example.org."
        )


def is_address(value: str) -> bool:
    """Tell whether text is an IP address, without the interface that may follow a link's own."""
    try:
        return "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _address_rule(value: str) -> None:
    if "%" in value:
        raise refuse("names an interface", "Leave out % and what follows; write the address alone.")
    if not is_address(value):
        raise refuse(
            "is not an IP address", "Write one such as 127.0.0.1, or 0.0.0.0 for every interface."
        )


def canonical_address(value: str) -> str:
    """Write an IP address in the one form that certificates have: 0:0::1 becomes ::1; a draft's stays."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return value


def _network_rule(value: str) -> None:
    try:
        ipaddress.IPv4Network(value)
    except ValueError:
        raise refuse(
            "is not a network of IPv4 addresses",
            "Write its first address and the length of its prefix, such as 10.244.0.0/16.",
        ) from None


def _path_rule(value: str) -> None:
    if not value.startswith("/") or "\0" in value or ".." in value.split("/") or value == "/":
        raise refuse("is not an absolute path", "Write it from the root, without '..' in it.")


def _version_rule(value: str) -> None:
    if len(value) > 40 or not _VERSION.fullmatch(value):
        raise refuse(
            "is not a version",
            'Use up to 40 letters, digits, dots, dashes and underscores, such as "1" or "2.0-rc1".',
        )


def _checksum_rule(value: str) -> None:
    if not _CHECKSUM.fullmatch(value):
        raise refuse(
            "is not a checksum",
            'Write "sha256:" and the 64 hexadecimal digits that `sha256sum FILE` prints.',
        )


def _header_rule(value: str) -> None:
    if not _HEADER.fullmatch(value):
        raise refuse(
            "is not a header name", "Use lower case letters, digits and dashes: x-user-id."
        )


def _object_rule(value: str) -> None:
    if len(value) > 253 or not _DOMAIN.fullmatch(value):
        raise refuse(
            "is not the name of a Kubernetes object",
            "Use lower case letters, digits, dashes and dots; start and end with no dash or dot.",
        )


def _image_rule(value: str) -> None:
    if not _IMAGE.fullmatch(value):
        raise refuse(
            "is not a container image",
            "Write registry/repository with a tag or a digest: registry.example.org/team/image:1.0",
        )


def _registry_rule(value: str) -> None:
    if not _REGISTRY.fullmatch(value):
        raise refuse(
            "is not a registry",
            "Write its host, and a folder of it if you like: registry.example.org:5000/mirror",
        )


def _text_rule(value: str) -> None:
    if not value.strip():
        raise refuse("is empty", "Write the text, or leave the key out.")


def parse_duration(value: Any) -> float:
    """Read a duration.

    Args:
        value: Text such as "500ms", "60s", "5m" or "1h".

    Returns:
        Seconds, more than 0.
    """
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise refuse(
            "is not a duration", "Write a positive number and its unit: 500ms, 60s, 5m, 1h."
        )
    return seconds


def format_duration(seconds: float) -> str:
    """Write seconds as an inventory does: 60.0 becomes "60s"."""
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{seconds!r}s"


def parse_cpu(value: Any) -> float:
    """Read a number of processor cores.

    Args:
        value: A number, or text such as "4", "0.5" or "500m" (thousandths).

    Returns:
        Cores, more than 0.
    """
    cores = 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        cores = float(value) if 0 < value < _MANY_CORES else 0.0
    elif isinstance(value, str) and (match := _QUANTITY.fullmatch(value)):
        cores = float(match[1]) * {"": 1.0, "m": 0.001}.get(match[2], 0.0)
    if not 0 < cores < _MANY_CORES:
        raise refuse(
            "is not a number of cores", 'Write a positive number such as 2, "0.5" or 500m.'
        )
    return cores


def parse_memory(value: Any) -> int:
    """Read an amount of memory.

    Args:
        value: A number of bytes, or text with a Kubernetes suffix such as "512Mi" or "8G".

    Returns:
        Bytes, more than 0.
    """
    size = 0
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and (match := _QUANTITY.fullmatch(value)):
        size = int(float(match[1]) * _BYTES.get(match[2], 0))
    if size <= 0:
        raise refuse("is not an amount of memory", "Write a number and its unit: 512Mi, 8Gi, 8G.")
    return size


def _certificates_rule(value: str) -> None:
    found = _CERTIFICATE.findall(value)
    try:
        whole = bool(found) and all(
            base64.b64decode("".join(one.split()), validate=True) for one in found
        )
    except binascii.Error:
        whole = False
    # A key does not belong where everybody may read.
    if not whole or "PRIVATE KEY" in value:
        raise refuse(
            "holds no certificates, or more than these",
            "Write them as PEM, from -----BEGIN CERTIFICATE----- on.",
        )


def _body_rule(value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    try:
        same = json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError):
        same = False
    if not same and info.context != DRAFT:
        raise refuse(
            "cannot be written as JSON",
            "Use text for keys, and text, finite numbers, true, false and null for values.",
        )
    return value


def _schema(kind: str | list[str], expects: str, **more: Any) -> WithJsonSchema:
    # `expects` is what the reference page shows as the type.
    return WithJsonSchema({"type": kind, "x-expects": expects, **more})


_Text = Annotated[str, Strict()]

PlatformName = Annotated[
    _Text,
    ruled(label_rule(20)),
    _schema("string", "DNS label, 20 characters at most", pattern=LABEL_PATTERN, maxLength=20),
]
# Room for the platform's and the model's name beside it in a host name and a Unix socket's path.
Name = Annotated[
    _Text,
    ruled(label_rule(40)),
    _schema("string", "DNS label, 40 characters at most", pattern=LABEL_PATTERN, maxLength=40),
]
Domain = Annotated[_Text, ruled(_domain_rule), _schema("string", "domain name")]
Address = Annotated[
    _Text,
    ruled(_address_rule),
    AfterValidator(canonical_address),
    _schema("string", "IP address"),
]
Network = Annotated[_Text, ruled(_network_rule), _schema("string", "IPv4 network")]
AbsolutePath = Annotated[
    _Text, ruled(_path_rule), _schema("string", "absolute path", pattern="^/.")
]
Version = Annotated[
    _Text, ruled(_version_rule), _schema("string", "text", pattern=_VERSION.pattern, maxLength=40)
]
Checksum = Annotated[
    _Text, ruled(_checksum_rule), _schema("string", "sha256:HEX", pattern=_CHECKSUM.pattern)
]
HeaderName = Annotated[
    _Text, ruled(_header_rule), _schema("string", "header name", pattern=_HEADER.pattern)
]
ObjectName = Annotated[
    _Text,
    ruled(_object_rule),
    _schema("string", "name of a Kubernetes object", pattern=_DOMAIN.pattern, maxLength=253),
]
Image = Annotated[
    _Text, ruled(_image_rule), _schema("string", "container image", pattern=_IMAGE.pattern)
]
Registry = Annotated[
    _Text,
    ruled(_registry_rule),
    _schema("string", "registry, or a folder of one", pattern=_REGISTRY.pattern),
]
Certificates = Annotated[
    _Text, ruled(_certificates_rule), _schema("string", "certificates, as PEM")
]
Text = Annotated[_Text, ruled(_text_rule), _schema("string", "text", minLength=1)]

Body = Annotated[dict[str, Any], AfterValidator(_body_rule)]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=1000)]
Positive = Annotated[int, Strict(), Field(ge=1, le=10**15)]
# What Envoy keeps in 32 bits: sizes of buffers, tokens of a bucket.
Positive32 = Annotated[int, Strict(), Field(ge=1, le=2**32 - 1)]
Percent = Annotated[int, Strict(), Field(ge=0, le=100)]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    _schema("string", "duration", pattern=_DURATION.pattern),
]
Cores = Annotated[
    float, BeforeValidator(parse_cpu), _schema(["number", "string"], "cores, such as 2 or 500m")
]
Bytes = Annotated[
    int, BeforeValidator(parse_memory), _schema(["integer", "string"], "memory, such as 512Mi")
]
