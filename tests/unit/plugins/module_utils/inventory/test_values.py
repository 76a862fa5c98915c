# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kinds of value: what is read from text, and what is refused with which remedy."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.inventory import (
    SCHEMES,
    Source,
    load,
    parse_source,
)

from .sample import changed, problems


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("500ms", 0.5), ("60s", 60.0), ("1.5m", 90.0), ("2h", 7200.0)],
)
def test_durations_become_seconds(written: str, seconds: float) -> None:
    platform = load(changed({"models[0].serving.start_timeout": written}))
    assert platform.model("iris").serving.start_timeout_seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("written", "address"),
    [("::1", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("FE80::A", "fe80::a"), ("10.0.0.1", "10.0.0.1")],
)
def test_addresses_have_one_form(written: str, address: str) -> None:
    assert load(changed({"platform_gateway.address": written})).gateway.address == address


@pytest.mark.parametrize(
    ("written", "cores"), [("500m", 0.5), ("0.25", 0.25), (1, 1.0), (0.5, 0.5)]
)
def test_cpu_becomes_cores(written: Any, cores: float) -> None:
    platform = load(changed({"models[0].serving.resources.cpu": written}))
    assert platform.model("iris").serving.resources.cpu == pytest.approx(cores)


@pytest.mark.parametrize(
    ("written", "size"),
    [("512Mi", 512 << 20), ("1G", 10**9), (1 << 20, 1 << 20), ("0.5Gi", 1 << 29)],
)
def test_memory_becomes_bytes(written: Any, size: int) -> None:
    platform = load(changed({"models[0].serving.resources.memory": written}))
    assert platform.model("iris").serving.resources.memory == size


@pytest.mark.parametrize(
    ("path", "value", "remedy"),
    [
        ("platform_name", "Demo", "lower case"),
        ("platform_name", "d" * 21, "20 characters"),
        ("platform_name", "demo\n", "lower case"),
        ("platform_name", "demo-", "without dash"),
        ("platform_target", "cloud", "'local' or 'kubernetes'"),
        ("platform_train", "2026.10", "'2026.11'"),
        ("platform_domain", "not a domain", "labels joined by dots"),
        ("platform_home", "relative/path", "from the root"),
        ("platform_home", "/srv/../etc", "'..'"),
        ("platform_gateway", 5, "keys with values"),
        ("platform_gateway.address", "localhost", "127.0.0.1"),
        ("platform_gateway.address", "fe80::1%eth0", "the address alone"),
        ("platform_gateway.address", "127.1", "127.0.0.1"),
        ("platform_gateway.https_port", "8443", "without quotes"),
        ("platform_gateway.https_port", True, "whole number"),
        ("platform_gateway.https_port", 65536, "65535 or less"),
        ("platform_identity.issuers", [], "at least 1"),
        ("platform_observability.prometheus", "maybe", "'auto' or 'disabled'"),
        ("tenants", {"name": "tenant-a"}, "a list"),
        ("tenants[0]", "tenant-a", "keys with values"),
        ("tenants[0].isolation", "medium", "'hard' or 'soft'"),
        ("tenants[0].limits.requests_per_minute", 0, "1 or more"),
        ("tenants[0].models.allow[0]", "a/b/c", "owner/model"),
        ("tenants[0].models.allow[0]", 5, "in quotes"),
        ("models[0].version", 1, "in quotes"),
        ("models[0].version", "v 1", "letters, digits"),
        ("models[0].checksum", "md5:00", "sha256sum"),
        ("models[0].framework", "sklern", "'sklearn'"),
        ("models[0].serving.start_timeout", 60, "its unit"),
        ("models[0].serving.start_timeout", "0s", "positive"),
        ("models[0].serving.resources.cpu", "four", "number"),
        ("models[0].serving.resources.cpu", True, "number"),
        ("models[0].serving.resources.cpu", float("inf"), "number"),
        ("models[0].serving.resources.cpu", 10**400, "number"),
        ("models[0].serving.resources.memory", "9" * 400, "8Gi"),
        ("models[0].serving.start_timeout", "9" * 400 + "s", "positive"),
        ("models[0].serving.replicas.min", 1001, "1000 or less"),
        ("tenants[0].limits.requests_per_minute", 2**32, "4294967295 or less"),
        ("models[0].serving.resources.memory", "8GB", "8Gi"),
        ("models[0].serving.replicas.max", 0, "1 or more"),
        ("models[0].publish.public", "yes", "true or false"),
        ("models[0].publish.example", "text", "keys with values"),
        ("models[0].publish.example", {"instances": {1: 2}}, "text for keys"),
        ("models[0].publish.example", {"instances": [float("nan")]}, "finite"),
        ("models[0].publish.apis", [], "at least 1"),
        ("models[0].traffic.canary", {"version": "2", "weight": 101}, "100 or less"),
        ("models[0].traffic.canary", {"version": "2"}, "share of the requests"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(path: str, value: Any, remedy: str) -> None:
    found = problems(changed({path: value}))
    inside = [problem for place, problem in found.items() if place.startswith(path)]
    assert remedy in " ".join(problem.remedy for problem in inside), found


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("file:///srv/models/iris.joblib", ("file", "", "/srv/models/iris.joblib")),
        ("https://host:8443/a/b?sig=1", ("https", "host:8443", "a/b?sig=1")),
        ("python://samples/iris", ("python", "samples", "iris")),
        ("hf://owner/name", ("hf", "owner/name", "")),
        ("hf://owner/name@v1/a/b.gguf", ("hf", "owner/name@v1", "a/b.gguf")),
        ("s3://bucket/prefix/", ("s3", "bucket", "prefix/")),
        ("gs://bucket/key", ("gs", "bucket", "key")),
        ("oci://registry:5000/team/model:1", ("oci", "registry:5000", "team/model:1")),
        ("pvc://claim/path", ("pvc", "claim", "path")),
    ],
)
def test_sources_are_split(source: str, parts: tuple[str, str, str]) -> None:
    assert parse_source(source) == Source(*parts)
    assert parts[0] in SCHEMES


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/srv/iris",
        "ftp://host/file",
        "file://relative",
        "file:///srv/../etc/passwd",
        "http://host/file",
        "https://host",
        "https://user:secret@host/file",
        "https://host:99999/file",
        "https://host/a#b",
        "python://samples",
        "python://not-a-package/iris",
        "python://samples/../other",
        "hf://owner",
        "s3://bucket",
        "oci://registry",
        "pvc://",
        "s3://bucket/with blank",
        "file:///srv/new\nline",
    ],
)
def test_sources_that_cannot_be_fetched_are_refused(source: str) -> None:
    checksum = f"sha256:{'0' * 64}"
    found = problems(changed({"models[0].source": source, "models[0].checksum": checksum}))
    assert list(found) == ["models[0].source"]
    assert found["models[0].source"].remedy
