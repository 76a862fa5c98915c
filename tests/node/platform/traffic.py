# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A caller that asks one model all the time, while something happens to the platform."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import Counter

import httpx2

from tests.behaviour.client import Caller
from tests.behaviour.platform_json import Platform

WAIT_SECONDS = 300.0
_BETWEEN_SECONDS = 0.05
_BEFORE = 5


class Traffic:
    """Asks by a new connection each time, and keeps what was answered.

    Attributes:
        answers: How often each answer came: what `tell` makes of it, or how asking failed.
    """

    def __init__(
        self,
        platform: Platform,
        token: str,
        ask: t.Callable[[Caller], httpx2.Response],
        tell: t.Callable[[httpx2.Response], str] = lambda answer: str(answer.status_code),
    ) -> None:
        self.answers: Counter[str] = Counter()
        self._platform, self._token = platform, token
        self._ask, self._tell = ask, tell
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> t.Self:
        self._thread.start()
        self.go_on_for(_BEFORE)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def go_on_for(self, more: int) -> None:
        """Wait until so many more requests were answered, well or not."""
        enough = self.answers.total() + more
        wait_until(lambda: self.answers.total() >= enough, "nobody is answered any more")

    def _go_on(self) -> None:
        while not self._ended.wait(_BETWEEN_SECONDS):
            try:
                with Caller(self._platform, self._token) as caller:
                    self.answers[self._tell(self._ask(caller))] += 1
            except (OSError, httpx2.HTTPError) as error:
                self.answers[repr(error)] += 1


def wait_until(happened: t.Callable[[], bool], what: str) -> None:
    """Wait for something.

    Raises:
        AssertionError: It does not happen; the message says what that means.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
