# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Any process may be killed under traffic: callers get answers or 503, never a hang, and it heals by itself."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest

from . import processes
from .platform_json import Model, Platform
from .traffic import HANG_SECONDS, Outcome, Traffic

pytestmark = [pytest.mark.disruptive, pytest.mark.usefixtures("may_disrupt")]

_HEALS_WITHIN_SECONDS = 120.0
# So much traffic before a process is killed that a failure cannot have come from elsewhere.
_WARM_SECONDS = 1.0


@pytest.fixture
def traffic(platform: Platform, tokens: dict[str, str]) -> t.Iterator[Traffic]:
    """A caller for every model, one tenant each."""
    pairs: list[tuple[str, Model]] = []
    for name, model in sorted(platform.models.items()):
        tenant = next((x for x in sorted(platform.tenants) if name in platform.tenants[x]), None)
        if tenant is not None:
            pairs.append((tenant, model))
    with Traffic(platform, tokens, pairs) as running:
        since = time.monotonic()
        running.wait_until_all_answer(since=since, timeout=_HEALS_WITHIN_SECONDS)
        time.sleep(_WARM_SECONDS)
        assert not running.failures(), running.summary()
        yield running


def _kill(home: Path, kind: processes.Kind) -> list[processes.Process]:
    found = processes.find(home, kind)
    assert found, f"no {kind} runs"
    for process in found:
        process.kill()
    return found


def _check_polite(outcomes: list[Outcome], *, gateway_was_gone: bool) -> None:
    """Failures are 503 with a time to come back; or no connection, where nobody was there to answer."""
    for outcome in outcomes:
        assert outcome.seconds < HANG_SECONDS, f"hung: {outcome}"
        if outcome.status is None:
            assert gateway_was_gone, outcome
            assert "Timeout" not in str(outcome.error), outcome
        else:
            assert outcome.status == 503, outcome
            assert int(outcome.retry_after or 0) >= 1, outcome
            assert '"error"' in outcome.text, outcome


@pytest.mark.parametrize("kind", ["tier1", "tier2", "supervisord", "guardian"])
def test_a_killed_process_comes_back_under_traffic(
    home: Path, traffic: Traffic, kind: processes.Kind
) -> None:
    killed_at = time.monotonic()
    killed = _kill(home, kind)
    processes.wait_for(home, kind, but_not=killed, timeout=_HEALS_WITHIN_SECONDS)
    traffic.wait_until_all_answer(since=killed_at, timeout=_HEALS_WITHIN_SECONDS)
    # Without its parent, tier 1 goes too: a process that nobody watches must not serve.
    _check_polite(traffic.failures(), gateway_was_gone=kind in {"tier1", "supervisord"})
    if kind == "guardian":
        assert not traffic.failures(), traffic.summary()


def test_a_killed_model_server_comes_back_and_disturbs_no_other(
    home: Path, traffic: Traffic
) -> None:
    for process in processes.find(home, "model"):
        before = len(traffic.outcomes)
        killed_at = time.monotonic()
        process.kill()
        processes.wait_for(home, "model", but_not=[process], timeout=_HEALS_WITHIN_SECONDS)
        traffic.wait_until_all_answer(since=killed_at, timeout=_HEALS_WITHIN_SECONDS)
        failed = [outcome for outcome in traffic.outcomes[before:] if not outcome.good]
        _check_polite(failed, gateway_was_gone=False)
        assert len({outcome.model for outcome in failed}) <= 1, traffic.summary()


def test_everything_killed_at_once_comes_back(home: Path, traffic: Traffic) -> None:
    killed_at = time.monotonic()
    for process in processes.everything(home):
        # The guardian is the one that a person or a reboot starts.
        if "guardian" not in " ".join(process.command):
            process.kill()
    traffic.wait_until_all_answer(since=killed_at, timeout=_HEALS_WITHIN_SECONDS)


def test_a_killed_supervisor_leaves_no_orphan(home: Path, traffic: Traffic) -> None:
    before = [p for kind in ("tier1", "tier2", "model") for p in processes.find(home, kind)]
    killed_at = time.monotonic()
    _kill(home, "supervisord")
    traffic.wait_until_all_answer(since=killed_at, timeout=_HEALS_WITHIN_SECONDS)
    after = processes.everything(home)
    assert not [process for process in before if process in after]
    assert len(processes.find(home, "supervisord")) == 1
    assert len(processes.find(home, "tier1")) == 1
    assert len(processes.find(home, "tier2")) == 1
