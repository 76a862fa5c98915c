# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Callers that ask all the time, or read a long answer, while something happens to the platform."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import Counter

import httpx2
import openai

from tests.behaviour.client import Caller, openai_client
from tests.behaviour.platform_json import Platform

WAIT_SECONDS = 300.0
_BETWEEN_SECONDS = 0.05
_BEFORE = 5
# As many as the model's context has room for.
_MANY_TOKENS = 3900


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


class Stream:
    """A long answer of a language model, read in the background by who shall not notice anything."""

    def __init__(self, platform: Platform, token: str, model: str) -> None:
        """Begin it.

        Attributes:
            chunks: How many have come.
            whole: It has come to its end.
            problem: What was wrong with it; empty where nothing was.
        """
        self.chunks = 0
        self.whole = False
        self.problem = ""
        self._chunks = openai_client(platform, token).chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Tell a long story."}],
            max_tokens=_MANY_TOKENS,
            stream=True,
            # It shall not end by itself.
            extra_body={"ignore_eos": True},
        )
        next(self._chunks)
        self._thread = threading.Thread(target=self._read)
        self._left = False

    def __enter__(self) -> t.Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave, whether it has come to its end or not."""
        self._left = True
        self._thread.join()
        self._chunks.close()

    def _read(self) -> None:
        reason = None
        try:
            for chunk in self._chunks:
                self.chunks += 1
                reason = next((choice.finish_reason for choice in chunk.choices), reason)
                if self._left:
                    return
        except (OSError, httpx2.HTTPError, openai.OpenAIError) as error:
            self.problem = repr(error)
        else:
            self.whole = reason == "length"
            self.problem = "" if self.whole else f"it ended with {reason}"


def wait_until(happened: t.Callable[[], bool], what: str) -> None:
    """Wait for something.

    Raises:
        AssertionError: It does not happen; the message says what that means.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
