# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Steady traffic in the background, and what became of each request."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import Counter
from dataclasses import dataclass, field

import httpx2

from .client import bearer, http_client
from .platform_json import Model, Platform

# A request that takes longer counts as a hang; a language model on a busy machine takes seconds.
HANG_SECONDS = 60.0
# Without a failure for so long, what was killed is well again.
_SETTLED_SECONDS = 2.0
_PAUSE_SECONDS = 0.02
# Whether a language model answers shows with its first tokens; more would only keep the processors from everything else.
_TOKENS = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request: a status, or the error of the connection."""

    model: str
    started: float
    seconds: float
    status: int | None = None
    error: str | None = None
    retry_after: str | None = None
    text: str = ""

    @property
    def good(self) -> bool:
        """Whether the model answered."""
        return self.status == httpx2.codes.OK


@dataclass(slots=True)
class Traffic:
    """One thread for each (tenant, model), asking without a break while the block runs.

    A patient thread waits when its tenant's minute is used up; that is no failure.
    """

    platform: Platform
    tokens: t.Mapping[str, str]
    pairs: t.Sequence[tuple[str, Model]]
    outcomes: list[Outcome] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> t.Self:
        for tenant, model in self.pairs:
            thread = threading.Thread(target=self._ask, args=(tenant, model), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(HANG_SECONDS * 2)
            assert not thread.is_alive(), "a request hangs"

    def failures(self) -> list[Outcome]:
        """Requests that no model answered."""
        return [outcome for outcome in list(self.outcomes) if not outcome.good]

    def summary(self) -> str:
        """How many requests ended how, for a failure's message."""
        counts = Counter(
            (outcome.model, outcome.status or outcome.error) for outcome in list(self.outcomes)
        )
        return ", ".join(
            f"{model} {how}: {n}" for (model, how), n in sorted(counts.items(), key=str)
        )

    def wait_until_all_answer(self, *, since: float, timeout: float) -> None:
        """Waits until every model has answered a request that began after a moment and after the last failure.

        Args:
            since: Moment of `time.monotonic`.
            timeout: Seconds.
        """
        deadline = time.monotonic() + timeout
        models = {model.name for _, model in self.pairs}
        while True:
            outcomes = list(self.outcomes)
            ended = [o.started + o.seconds for o in outcomes if not o.good]
            last = max([since, *ended])
            answering = {o.model for o in outcomes if o.good and o.started >= last}
            if answering == models and time.monotonic() - last > _SETTLED_SECONDS:
                return
            assert time.monotonic() < deadline, f"not healed within {timeout} s: {self.summary()}"
            time.sleep(0.1)

    def _ask(self, tenant: str, model: Model) -> None:
        headers = dict([bearer(self.tokens[tenant])])
        with http_client(self.platform) as client:
            while not self._stop.is_set():
                started = time.monotonic()
                try:
                    answer = client.post(
                        model.example_path,
                        headers=headers,
                        json=_short(model.example_body),
                        timeout=HANG_SECONDS,
                    )
                except httpx2.HTTPError as error:
                    took = time.monotonic() - started
                    name = type(error).__name__
                    self.outcomes.append(Outcome(model.name, started, took, error=name))
                    # A closed port refuses at once: asking on without a break would only burn time.
                    self._stop.wait(0.1)
                    continue
                if answer.status_code == httpx2.codes.TOO_MANY_REQUESTS:
                    self._stop.wait(float(answer.headers["retry-after"]))
                    continue
                self.outcomes.append(
                    Outcome(
                        model.name,
                        started,
                        time.monotonic() - started,
                        status=answer.status_code,
                        retry_after=answer.headers.get("retry-after"),
                        text="" if answer.status_code == httpx2.codes.OK else answer.text,
                    )
                )
                self._stop.wait(_PAUSE_SECONDS)


def _short(body: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**body, **({"max_tokens": _TOKENS} if "max_tokens" in body else {})}
