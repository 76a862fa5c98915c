# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether models answer their callers: one request each, on the way that callers' requests take."""

from __future__ import annotations

import json
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..errors import ProcessError
from . import https

_PAUSE_SECONDS = 0.5
# A language model on a busy machine takes its time; one that is silent for longer is asked again.
_ANSWER_SECONDS = 60.0
_AT_ONCE = 4
_SERVER_ERRORS = 500
# What tier 1 says where it does not know callers or the model yet. At a limit of requests (429), it does.
_NOT_YET = frozenset({401, 403, 404, 408})


@dataclass(frozen=True)
class Question:
    """One request that a model answers.

    Attributes:
        model: Its name.
        tenant: Who asks.
        path: What is asked for.
        body: What is sent, as JSON; None to GET.
    """

    model: str
    tenant: str
    path: str
    body: t.Mapping[str, t.Any] | None = None


def until_answered(
    gateway: https.Gateway,
    questions: t.Sequence[Question],
    token: t.Callable[[str], str],
    timeout: float,
    now: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Ask models until each has answered.

    Args:
        gateway: Tier 1.
        questions: One for each model.
        token: Makes a tenant's token.
        timeout: Seconds to wait at most.
        now: Clock.
        sleep: Pauses for some seconds.

    Returns:
        By model, why it does not answer; empty when all do.
    """
    tokens = {tenant: token(tenant) for tenant in {one.tenant for one in questions}}
    deadline = now() + timeout
    pending = list(questions)
    while True:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            reasons = list(pool.map(lambda one: _reason(gateway, one, tokens), pending))
        late = {one.model: why for one, why in zip(pending, reasons, strict=True) if why}
        pending = [one for one in pending if one.model in late]
        if not pending or now() >= deadline:
            return late
        sleep(_PAUSE_SECONDS)


def _reason(gateway: https.Gateway, question: Question, tokens: t.Mapping[str, str]) -> str:
    headers = {"Authorization": f"Bearer {tokens[question.tenant]}"}
    body = None
    if question.body is not None:
        body = json.dumps(question.body).encode()
        headers["Content-Type"] = "application/json"
    try:
        status = https.ask(gateway, question.path, body, headers, _ANSWER_SECONDS)
    except ProcessError as error:
        return str(error)
    if status < _SERVER_ERRORS and status not in _NOT_YET:
        return ""
    return f"{question.path} is answered with {status}"
