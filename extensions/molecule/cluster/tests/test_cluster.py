# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The machine is prepared: users, directories, the runtime environment, the process manager."""

from __future__ import annotations

import os
import time
import typing as t

import pytest

# Path below the home: user, group, mode.
DIRECTORIES = {
    "": ("installer", "installer", "0711"),
    "run": ("installer", "installer", "0711"),
    "run/tier1": ("tier1", "tier2", "2750"),
    "run/tier2": ("tier2", "tier2", "2750"),
    "run/models": ("installer", "installer", "0711"),
    "run/models/tenant-a": ("t-tenant-a", "tier2", "2750"),
    "run/models/tenant-b": ("t-tenant-b", "tier2", "2750"),
    "supervisor": ("installer", "installer", "0700"),
    "pki": ("installer", "installer", "0755"),
    "pki/authority": ("installer", "installer", "0700"),
    "pki/tier1": ("tier1", "tier1", "0700"),
    "pki/tier2": ("tier2", "tier2", "0700"),
    "pki/metrics": ("metrics", "metrics", "0700"),
    "pki/operator": ("installer", "installer", "0700"),
    "identity": ("installer", "installer", "0700"),
    "tier1": ("tier1", "tier1", "0700"),
    "tier2": ("tier2", "tier2", "0700"),
    "tier2/credentials": ("tier2", "tier2", "0700"),
    "artifacts": ("installer", "installer", "0711"),
    "artifacts/tenant-a": ("installer", "t-tenant-a", "0750"),
    "replicas": ("installer", "installer", "0711"),
    "replicas/tenant-b": ("installer", "t-tenant-b", "0750"),
    "prometheus": ("installer", "metrics", "0750"),
    "prometheus/data": ("metrics", "metrics", "0700"),
    "logs": ("installer", "installer", "0700"),
    "state": ("installer", "installer", "0700"),
}
ROLES = ("tier1", "tier2", "metrics", "t-tenant-a", "t-tenant-b")
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes Unix users")


@pytest.mark.parametrize("name", DIRECTORIES)
def test_each_directory_is_its_owner_s(name: str, described: t.Any, owned: t.Any) -> None:
    assert described(name) == owned(*DIRECTORIES[name])


@only_root
@pytest.mark.parametrize("role", ROLES)
def test_each_part_has_a_user_who_cannot_log_in(role: str, host: t.Any, instance: t.Any) -> None:
    user = host.user(instance.user(role))
    assert user.exists
    assert user.shell == "/usr/sbin/nologin"
    assert not host.file(user.home).exists


@only_root
def test_only_tier_1_is_in_another_part_s_group(host: t.Any, instance: t.Any) -> None:
    groups = {role: set(host.user(instance.user(role)).groups) for role in ROLES}
    own = {role: {instance.user(role)} for role in ROLES}
    assert groups == {**own, "tier1": {instance.user("tier1"), instance.user("tier2")}}


@only_root
@pytest.mark.parametrize("role", ROLES)
def test_each_user_may_run_what_is_installed(role: str, host: t.Any, instance: t.Any) -> None:
    programs = [
        f"{instance.path('runtime/bin/envoy')} --version",
        f"{instance.path('runtime/bin/python')} -c 'import inferencebox.serving'",
    ]
    for program in programs:
        host.run_expect(
            [0], f"setpriv --reuid={instance.user(role)} --clear-groups --inh-caps=-all {program}"
        )


def test_what_is_installed_is_this_platform_s_own(host: t.Any, instance: t.Any) -> None:
    runtime = host.file(instance.path("runtime"))
    assert runtime.is_directory
    assert not runtime.is_symlink


def test_only_the_process_manager_runs(instance: t.Any, processes: t.Any) -> None:
    # What compiles for model servers, and what fetches, ends by itself.
    deadline = time.monotonic() + 120
    while len(running := processes()) > 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    programs = sorted(" ".join(process.command) for process in running)
    assert len(running) == 2, programs
    assert any("/bin/supervisord" in each.command[1] for each in running), programs
    assert any("inferencebox.guardian" in each.command for each in running), programs
    assert {each.user for each in running} == {instance.user("installer")}


def test_the_process_manager_answers_its_owner_alone(
    host: t.Any, instance: t.Any, described: t.Any, owned: t.Any
) -> None:
    assert host.file(instance.path("run/supervisor.sock")).is_socket
    assert described("run/supervisor.sock") == owned("installer", "installer", "0700")
    config = instance.path("supervisor/supervisord.conf")
    control = f"{instance.path('runtime/bin/supervisorctl')} -c {config} status guardian"
    assert "RUNNING" in host.check_output(control)


def test_no_port_is_open(listening: t.Any) -> None:
    assert listening() == set()
