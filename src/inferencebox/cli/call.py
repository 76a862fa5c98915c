# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``inferencebox predict`` and ``chat``: ask a model through the gateway, as a tenant."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import typer

from ._home import Home, HomeOption, PlatformOption, find_home
from ._identity import mint
from ._output import EXIT_USAGE, CommandError, JsonOption, listed, print_json, print_text, read_json

# The HTTP client is imported where it is used: it takes as long as the whole command line, and `token`, which
# scripts call often, does without.
if t.TYPE_CHECKING:
    import httpx

_CHAT_PATH = "/v1/chat/completions"
# Long enough for one question; the platform signs a new token for the next.
_LIFETIME_SECONDS = 600

ModelArgument = t.Annotated[str, typer.Argument(help="Name of the model.")]
TenantOption = t.Annotated[
    str | None, typer.Option("--tenant", "-t", help="Who asks.", show_default="the model's owner")
]
Json = dict[str, t.Any]


def predict(
    model: ModelArgument,
    tenant: TenantOption = None,
    data: t.Annotated[
        str | None,
        typer.Option(
            "--data",
            "-d",
            help="Request body: JSON, @FILE, or - for standard input.",
            show_default="the model's example",
        ),
    ] = None,
    *,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Ask a model for a prediction and print its answer."""
    from ._client import gateway, refused

    place = find_home(home, platform)
    known = place.model(model)
    if data is None:
        path, body = _example(model, known)
    else:
        body = read_json(*_source(data))
        path = predict_path(model, known, body)
    with gateway(place, _token(place, model, tenant)) as client:
        answer = client.post(path, json=body)
    if not answer.is_success:
        raise refused(answer)
    print_json(answer.json())


def chat(
    model: ModelArgument,
    message: t.Annotated[
        str | None, typer.Argument(help="What to say; standard input when left out.")
    ] = None,
    tenant: TenantOption = None,
    max_tokens: t.Annotated[
        int | None, typer.Option(min=1, help="Longest answer, in tokens.")
    ] = None,
    *,
    stream: t.Annotated[
        bool, typer.Option("--stream", help="Print the answer while it is being written.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
    platform: PlatformOption = None,
) -> None:
    """Say something to a language model and print what it answers."""
    from ._client import gateway, refused

    place = find_home(home, platform)
    if "chat" not in place.model(model)["apis"]:
        others = [name for name, each in place.models.items() if "chat" in each["apis"]]
        raise CommandError(f"model {model!r} does not chat", f"These do: {listed(others)}.")
    if stream and as_json:
        raise CommandError("--stream and --json exclude each other", exit_code=EXIT_USAGE)
    text = message if message is not None else sys.stdin.read().strip()
    body: Json = {"model": model, "messages": [{"role": "user", "content": text}]}
    if max_tokens:
        body["max_tokens"] = max_tokens
    with gateway(place, _token(place, model, tenant)) as client:
        if stream:
            _print_stream(client, {**body, "stream": True})
            return
        answer = client.post(_CHAT_PATH, json=body)
    if not answer.is_success:
        raise refused(answer)
    if as_json:
        print_json(answer.json())
    else:
        print_text(answer.json()["choices"][0]["message"]["content"])


def predict_path(model: str, known: Json, body: t.Any) -> str:
    """Return where a request goes, by its form: ``instances`` is V1's, ``inputs`` is V2's.

    Raises:
        CommandError: It is neither, or the model does not speak this protocol.
    """
    keys = set(body) if isinstance(body, dict) else set()
    forms = {
        "v1": ("instances", f"/v1/models/{model}:predict"),
        "v2": ("inputs", f"/v2/models/{model}/infer"),
    }
    for api, (key, path) in forms.items():
        if key in keys and api in known["apis"]:
            return path
    wanted = " or ".join(
        f'"{key}" ({api})' for api, (key, _) in forms.items() if api in known["apis"]
    )
    if not wanted:
        raise CommandError(f"model {model!r} does not predict", f"Try `inferencebox chat {model}`.")
    raise CommandError(
        f"the request body has no {wanted}",
        "Leave --data out to send the model's example.",
        exit_code=EXIT_USAGE,
    )


def _example(model: str, known: Json) -> tuple[str, t.Any]:
    if "example" not in known:
        raise CommandError(
            f"model {model!r} has no example", "Give a request with --data.", exit_code=EXIT_USAGE
        )
    return known["example"]["path"], known["example"]["body"]


def _print_stream(client: httpx.Client, body: Json) -> None:
    from ._client import events, refused

    with client.stream("POST", _CHAT_PATH, json=body) as answer:
        if not answer.is_success:
            answer.read()
            raise refused(answer)
        for event in events(answer):
            for choice in event.get("choices", ()):
                sys.stdout.write(choice.get("delta", {}).get("content") or "")
                sys.stdout.flush()
    sys.stdout.write("\n")


def _token(place: Home, model: str, tenant: str | None) -> str:
    return mint(
        place, tenant or str(place.model(model)["owner"]), lifetime_seconds=_LIFETIME_SECONDS
    )


def _source(data: str) -> tuple[str, str]:
    """Return the text that --data means, and how to call it in an error."""
    if data == "-":
        return sys.stdin.read(), "standard input"
    if not data.startswith("@"):
        return data, "--data"
    file = Path(data.removeprefix("@")).expanduser()
    try:
        return file.read_text(encoding="utf-8"), str(file)
    except OSError as error:
        raise CommandError(
            f"{file} cannot be read: {error.strerror}", exit_code=EXIT_USAGE
        ) from error
