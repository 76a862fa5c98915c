# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names fit what Kubernetes admits, and two things never share one."""

from __future__ import annotations

from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import naming

from . import sample


def test_what_fits_stays_as_it_is() -> None:
    assert naming.shortened("a" * 63) == "a" * 63


def test_two_long_names_stay_apart() -> None:
    first, second = (naming.shortened("a" * 70 + end) for end in "xy")
    assert first != second
    assert len(first) == len(second) == 63


def test_no_dash_stands_before_the_digest_twice() -> None:
    assert "--" not in naming.shortened("a" * 53 + "-" * 10 + "b" * 20)


def test_a_model_is_known_by_its_tenant_and_domain() -> None:
    platform = sample.full()
    assert (
        naming.model_host(platform, platform.model("iris")) == "iris.tenant-a.inference.example.org"
    )


def test_services_are_those_that_kserve_makes() -> None:
    platform = sample.full()
    iris, chatty = platform.model("iris"), platform.model("chatty")
    assert naming.model_service(iris) == "iris-predictor"
    assert naming.model_service(iris, naming.CANARY) == "iris-canary-predictor"
    assert naming.model_service(iris, naming.MIRROR) == "iris-mirror-predictor"
    assert naming.model_service(chatty) == "chatty-transformer"


def test_identities_are_written_without_scheme() -> None:
    platform = sample.full()
    written = naming.tier_principal(platform, naming.TIER1)
    assert written == "cluster.local/ns/inferencebox-system/sa/tier1"
