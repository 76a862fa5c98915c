# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a model's files come from: the schemes of `source` and what each expects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Strict, WithJsonSchema

from ._types import refuse, ruled


@dataclass(frozen=True)
class Source:
    """A parsed source.

    Attributes:
        scheme: One of `SCHEMES`.
        location: What comes after the first slashes and names the place: host, bucket, package,
            owner/name[@revision] of a hub's repository, claim; empty for files.
        path: The file or folder inside that place, without a leading slash, except for files,
            where it is absolute; empty where the place itself is meant.
    """

    scheme: str
    location: str
    path: str


@dataclass(frozen=True)
class _Scheme:
    """How sources of one scheme are written: a pattern with the groups `location` and `path`."""

    pattern: re.Pattern[str]
    shape: str


_BUCKET = r"(?P<location>[a-z0-9][a-z0-9._-]+)/(?P<path>[^?#]+)"

_SCHEMES = {
    "file": _Scheme(re.compile(r"(?P<location>)(?P<path>/[^?#]+)"), "file:///absolute/path"),
    "https": _Scheme(
        re.compile(r"(?P<location>[A-Za-z0-9.\[\]:-]+)/(?P<path>[^#]+)"), "https://host/path"
    ),
    "python": _Scheme(
        re.compile(r"(?P<location>[A-Za-z_]\w*)/(?P<path>[^?#]+)"),
        "python://package/path/inside",
    ),
    "hf": _Scheme(
        re.compile(r"(?P<location>[\w.-]+/[\w.-]+(?:@[\w.-]+)?)(?:/(?P<path>[^?#]+))?", re.ASCII),
        "hf://owner/name[@revision][/path/inside]",
    ),
    "s3": _Scheme(re.compile(_BUCKET), "s3://bucket/path"),
    "gs": _Scheme(re.compile(_BUCKET), "gs://bucket/path"),
    "oci": _Scheme(
        re.compile(r"(?P<location>[A-Za-z0-9.\[\]:-]+)/(?P<path>[a-z0-9._/-]+(?:[:@][\w.:-]+)?)"),
        "oci://registry/repository:tag",
    ),
    "pvc": _Scheme(
        re.compile(r"(?P<location>[a-z0-9][a-z0-9.-]*)(?:/(?P<path>[^?#]+))?"), "pvc://claim/path"
    ),
}

SCHEMES = tuple(_SCHEMES)


def shape_of(scheme: str) -> str:
    """Show how a source of one scheme is written."""
    return _SCHEMES[scheme].shape


def parse_source(text: str) -> Source:
    """Split a source into its parts.

    Args:
        text: A source as the inventory holds it, such as ``python://package/path``.

    Returns:
        Its parts.

    Raises:
        PydanticCustomError: The text has no known scheme or not that scheme's shape. It is a
            ValueError, with `message` and `remedy` in its context.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise refuse(
            "has no known scheme",
            f"Start it with one of {', '.join(f'{name}://' for name in SCHEMES)}.",
        )
    expected = _SCHEMES[scheme]
    match = expected.pattern.fullmatch(rest)
    path = (match["path"] or "") if match else ""
    if match is None or not text.isprintable() or " " in text or _climbs(path):
        raise refuse(
            f"is not a {scheme} source",
            f"Write it as {expected.shape}, without '..', blanks or credentials.",
        )
    if scheme == "https":
        _check_port(text)
    return Source(scheme, match["location"], path)


def _climbs(path: str) -> bool:
    return any(part in {"..", "."} for part in path.partition("?")[0].split("/"))


def _check_port(text: str) -> None:
    try:
        # Reading the property is what makes urllib look at the number.
        _ = urlsplit(text).port
    except ValueError:
        raise refuse("has no valid port", "Use a port from 1 to 65535, or leave it out.") from None


def _source_rule(value: str) -> None:
    parse_source(value)


SourceText = Annotated[
    str,
    Strict(),
    ruled(_source_rule),
    WithJsonSchema(
        {"type": "string", "x-expects": "source", "pattern": f"^({'|'.join(SCHEMES)})://"}
    ),
]
