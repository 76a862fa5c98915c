# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks through ansible-runner, on a small collection of this test's own, and what is told of them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.progress import MARK

from inferencebox.cli import _runner
from inferencebox.cli._output import EXIT_INTERRUPTED, EXIT_USAGE, CommandError

_PLAYBOOKS = {
    "site": """
- name: First
  ansible.builtin.import_playbook: first.yml
- name: Second
  hosts: all
  gather_facts: false
  tasks:
    - name: Say how it went
      ansible.builtin.debug:
        msg: "12 passed"
""",
    "first": """
- name: First layer
  hosts: all
  gather_facts: false
  tasks:
    - name: Validate
      ansible.builtin.set_fact:
        preflight_platform: {platform_home: "{{ target }}"}
    - name: Write a file
      ansible.builtin.copy:
        dest: "{{ target }}/file"
        content: "text\\n"
        mode: "0600"
""",
    "broken": """
- name: Broken
  hosts: all
  gather_facts: false
  tasks:
    - name: Survive
      ansible.builtin.command: "false"
      ignore_errors: true
    - name: Look at several
      ansible.builtin.assert:
        that: item != 'bad'
        fail_msg: "model {{ item }} cannot be loaded: [its] file is missing"
      loop: [good, bad]
""",
    "slow": """
- name: Slow
  hosts: all
  gather_facts: false
  tasks:
    - name: Work
      ansible.builtin.shell: "echo $$ > {{ target }}/pid.new; mv {{ target }}/pid.new {{ target }}/pid; exec sleep 600"
""",
    "late": """
- name: Late
  hosts: all
  gather_facts: false
  tasks:
    - name: Wait
      inferencebox.platform.late:
- name: After it
  hosts: all
  gather_facts: false
""",
    "unreadable": "- name: [",
}
# Says something as the collection's own action does for its modules, and something else.
_LATE = f"""
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        Display().display("{MARK}model [iris]: no room", stderr=True)
        Display().display("another line", stderr=True)
        return {{}}
"""
_INVENTORY = "localhost,"
# For Ansible on a busy machine, far less than what the slow task sleeps.
_SECONDS = 120.0


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection of the product's name with other playbooks."""
    root = tmp_path / "ansible_collections/inferencebox/platform"
    (root / "playbooks").mkdir(parents=True)
    for name, text in _PLAYBOOKS.items():
        (root / f"playbooks/{name}.yml").write_text(text)
    (root / "plugins/action").mkdir(parents=True)
    (root / "plugins/action/late.py").write_text(_LATE)
    monkeypatch.setattr(_runner, "collection_root", lambda: root)
    monkeypatch.chdir(tmp_path)
    return root


def _options(tmp_path: Path) -> list[str]:
    return [
        "-e",
        f"target={tmp_path}",
        "-e",
        "ansible_connection=local",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
    ]


@pytest.mark.usefixtures("collection")
def test_a_run_tells_changes_home_and_progress(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = _runner.run_playbook("site", inventory=_INVENTORY, options=_options(tmp_path))
    assert (outcome.changed, outcome.home, outcome.said) == (1, tmp_path, "12 passed")
    assert (tmp_path / "file").read_text() == "text\n"
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(" s  ")[1] for line in said.err.splitlines()] == [
        "1/2 First layer",
        "2/2 Second",
    ]
    assert (
        _runner.run_playbook("site", inventory=_INVENTORY, options=_options(tmp_path)).changed == 0
    )


@pytest.mark.usefixtures("collection")
def test_why_a_task_waits_is_told_before_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _runner.run_playbook("late", inventory=_INVENTORY, options=_options(tmp_path))
    assert [line.split(" s  ")[1] for line in capsys.readouterr().err.splitlines()] == [
        "1/2 Late",
        "waiting: model [iris]: no room",
        "2/2 After it",
    ]


@pytest.mark.usefixtures("collection")
def test_check_and_diff_change_nothing_and_show_what_would_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*_options(tmp_path), "--check", "--diff"]
    assert (
        _runner.run_playbook("site", inventory=_INVENTORY, options=options, diff=True).changed == 1
    )
    assert not (tmp_path / "file").exists()
    assert "+text" in capsys.readouterr().err


@pytest.mark.usefixtures("collection")
def test_a_failure_is_the_failing_tasks_own_message(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        _runner.run_playbook("broken", inventory=_INVENTORY, options=_options(tmp_path))
    assert (
        caught.value.message
        == "model bad cannot be loaded: [its] file is missing (task: Look at several)"
    )
    assert "--verbose" in caught.value.hint


@pytest.mark.usefixtures("collection")
def test_a_playbook_that_ansible_cannot_read_is_explained() -> None:
    with pytest.raises(CommandError, match=r"Ansible stopped: YAML parsing failed"):
        _runner.run_playbook("unreadable", inventory=_INVENTORY)


@pytest.mark.usefixtures("collection")
def test_an_inventory_that_is_not_there_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no inventory .*nowhere") as caught:
        _runner.run_playbook("site", inventory=str(tmp_path / "nowhere"))
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.usefixtures("collection")
def test_ansible_leaves_nothing_in_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    _runner.run_playbook("site", inventory=_INVENTORY, options=_options(tmp_path))
    assert [path for path in home.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("collection")
@pytest.mark.parametrize("name", ["mine", "in a box"])
def test_an_inventory_may_be_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name / "group_vars").mkdir(parents=True)
    (tmp_path / name / "hosts.yml").write_text("all: {hosts: {localhost: }}")
    (tmp_path / name / "group_vars/all.yml").write_text(
        f"ansible_connection: local\ntarget: {tmp_path}\n"
        f"ansible_python_interpreter: {sys.executable}\n"
    )
    monkeypatch.chdir(tmp_path)
    outcome = _runner.run_playbook("site", inventory=name)
    assert outcome.home == tmp_path


def test_mistakes_of_the_inventory_are_the_users_to_mend() -> None:
    said = "the inventory has 1 problem:\n  - models: no"
    tally = _runner.Tally()
    data = {
        "task": "Validate the whole inventory",
        "task_action": "inferencebox.platform.validate_inventory",
        "res": {"msg": said},
    }
    tally.take({"event": "runner_on_failed", "event_data": data})
    error = _runner._failed(tally, "")
    assert (error.message, error.exit_code) == (said, EXIT_USAGE)


@pytest.mark.usefixtures("collection")
def test_a_missing_playbook_is_explained() -> None:
    with pytest.raises(CommandError, match=r"nothing\.yml is missing"):
        _runner.run_playbook("nothing", inventory=_INVENTORY)


def test_every_playbook_of_the_product_has_plays(root: Path) -> None:
    playbooks = sorted((root / "playbooks").glob("*.yml"))
    assert playbooks
    assert all(_runner.count_plays(path) >= 1 for path in playbooks)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "no"}, "no"),
        ({"stderr": "said\n"}, "said"),
        ({"censored": "hidden"}, "hidden"),
        ({}, "no reason given"),
        (
            {
                "msg": "One or more items failed",
                "results": [{"failed": True, "msg": "a"}, {"msg": "fine"}],
            },
            "a",
        ),
        ({"results": [{"failed": True, "msg": "same"}, {"failed": True, "msg": "same"}]}, "same"),
    ],
)
def test_the_message_of_a_result(result: dict[str, object], message: str) -> None:
    assert _runner.failure_message(result) == message


def test_an_ignored_failure_is_none() -> None:
    tally = _runner.Tally()
    data = {"task": "t", "res": {"msg": "no"}, "ignore_errors": True}
    tally.take({"event": "runner_on_failed", "event_data": data})
    assert tally.failure is None
    tally.take({"event": "runner_on_unreachable", "event_data": {**data, "ignore_errors": False}})
    assert tally.failure == ("t", "", "no")


def test_the_collection_is_found_where_it_is_imported_from(root: Path) -> None:
    assert _runner.collection_root().resolve() == root
    assert _runner.default_inventory().endswith(
        "ansible_collections/inferencebox/platform/inventories/local"
    )


@pytest.mark.usefixtures("collection")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_goes_on_with_nothing(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "pid"

    def interrupt() -> None:
        deadline = time.monotonic() + _SECONDS
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(os.getpid(), number)

    # Whoever runs the tests in the background may ignore it.
    before = signal.signal(number, signal.SIG_DFL)
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(CommandError, match="interrupted") as caught:
        _runner.run_playbook("slow", inventory=_INVENTORY, options=_options(tmp_path))
    thread.join()
    assert caught.value.exit_code == EXIT_INTERRUPTED
    assert signal.signal(number, before) is signal.SIG_DFL
    task = Path("/proc", file.read_text().strip())
    deadline = time.monotonic() + _SECONDS
    while task.exists():
        assert time.monotonic() < deadline, "the task goes on"
        time.sleep(0.05)
