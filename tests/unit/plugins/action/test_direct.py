# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules run in the worker where that is possible, and say what they say when they are sent."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.template import trust_as_template
from ansible.utils.display import Display
from ansible_collections.inferencebox.platform.plugins.module_utils import progress
from ansible_collections.inferencebox.platform.plugins.modules import state_files

from .loading import load_action

NAME = "inferencebox.platform.state_files"


class _SentError(Exception):
    """The action sends the module, as Ansible does by default."""


def action(variables: dict[str, Any], options: dict[str, Any], **keywords: Any) -> Any:
    """The action for a task of state_files on this machine."""
    task = {NAME: options, **keywords}
    return load_action("inferencebox.platform.direct", NAME, task, variables)


def here() -> dict[str, Any]:
    """Variables of a host that is this machine, with this Python."""
    return {
        "ansible_python_interpreter": trust_as_template("{{ python }}"),
        "python": sys.executable,
    }


def files(path: Path) -> dict[str, Any]:
    """Options that write one file."""
    return {"files": [{"path": str(path), "content": "one\n", "mode": "0600"}]}


def run(options: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    """Run the action on this machine."""
    result: dict[str, Any] = action(here(), options, **keywords).run(task_vars=here())
    return result


def test_a_module_runs_in_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran_in: list[int] = []
    main = state_files.main

    def noted() -> None:
        ran_in.append(os.getpid())
        main()

    monkeypatch.setattr(state_files, "main", noted)
    result = run(files(tmp_path / "file"), diff=True)
    assert ran_in == [os.getpid()]
    assert result["changed"] is True
    assert result["diff"][0]["after"] == "one\n"
    assert (tmp_path / "file").read_text() == "one\n"
    assert run(files(tmp_path / "file"))["changed"] is False


def test_check_mode_reaches_the_module(tmp_path: Path) -> None:
    assert run(files(tmp_path / "file"), check_mode=True)["changed"] is True
    assert not (tmp_path / "file").exists()


def test_what_the_module_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failed = run(files(tmp_path / "file/below"))
    assert failed["failed"] is True
    assert "Not a directory" in failed["msg"]


def test_what_a_module_tells_is_heard_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(Display, "display", lambda _, text, **__: heard.append(text))
    main = state_files.main

    def telling() -> None:
        progress.tell("no room")
        assert heard == ["waiting: no room"]
        main()

    monkeypatch.setattr(state_files, "main", telling)
    assert run(files(tmp_path / "file"))["changed"] is True
    progress.tell("to nobody")
    assert heard == ["waiting: no room"]


def test_an_option_that_the_module_does_not_know_is_told() -> None:
    failed = run({"fils": []})
    assert failed["failed"] is True
    assert "fils" in failed["msg"]


def test_an_error_of_the_module_itself_is_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(state_files, "main", broken)
    with pytest.raises(ZeroDivisionError):
        run({})


@pytest.mark.parametrize(
    ("variables", "keywords"),
    [
        ({"ansible_python_interpreter": "/usr/bin/another"}, {}),
        ({"ansible_python_interpreter": None}, {}),
        ({}, {"environment": {"LC_ALL": "C"}}),
        ({}, {"async": 10, "poll": 0}),
    ],
)
def test_what_needs_more_than_the_worker_has_is_sent(
    variables: dict[str, Any], keywords: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(**_: Any) -> None:
        raise _SentError

    found = {**here(), **variables}
    one = action(found, files(Path("/nowhere/file")), **keywords)
    monkeypatch.setattr(one, "_execute_module", send)
    with pytest.raises(_SentError):
        one.run(task_vars=found)


@pytest.mark.parametrize("change", ["become", "ssh"])
def test_another_user_and_another_machine_are_sent(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(**_: Any) -> None:
        raise _SentError

    one = action(here(), files(Path("/nowhere/file")))
    monkeypatch.setattr(one, "_execute_module", send)
    if change == "become":
        monkeypatch.setattr(one._connection, "become", object())
    else:
        monkeypatch.setattr(type(one._connection), "transport", "ssh")
    with pytest.raises(_SentError):
        one.run(task_vars=here())
