# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pip's configuration reaches uv, and nothing that uv was told itself is overruled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.inferencebox.platform.plugins.module_utils.host.package_index import (
    pip_options,
    uv_environment,
)

ALONE = {"PIP_CONFIG_FILE": os.devnull}


@pytest.mark.parametrize(
    ("pip", "uv"),
    [
        (
            {"PIP_INDEX_URL": "https://mirror.example/simple"},
            {"UV_DEFAULT_INDEX": "https://mirror.example/simple"},
        ),
        ({"PIP_CERT": "/etc/ca.pem"}, {"SSL_CERT_FILE": "/etc/ca.pem"}),
        ({"PIP_FIND_LINKS": "/a  /b\n/c"}, {"UV_FIND_LINKS": "/a,/b,/c"}),
        (
            {"PIP_TRUSTED_HOST": "one.example two.example"},
            {"UV_INSECURE_HOST": "one.example two.example"},
        ),
        ({"PIP_DEFAULT_TIMEOUT": "180"}, {"UV_HTTP_TIMEOUT": "180"}),
        (
            {"PIP_EXTRA_INDEX_URL": "https://a.example https://b.example"},
            {
                "UV_INDEX": "https://a.example https://b.example",
                "UV_INDEX_STRATEGY": "unsafe-best-match",
            },
        ),
        ({"PIP_NO_COLOR": "1", "PIP_CERT": ""}, {}),
    ],
)
def test_variables_of_pip_become_variables_of_uv(pip: dict[str, str], uv: dict[str, str]) -> None:
    assert uv_environment({**ALONE, **pip}) == uv


def test_what_uv_was_told_stays() -> None:
    said = {"PIP_INDEX_URL": "https://pip.example", "UV_DEFAULT_INDEX": "https://uv.example"}
    assert uv_environment({**ALONE, **said}) == {}


def test_the_home_file_is_read_and_a_variable_overrules_it(tmp_path: Path) -> None:
    file = tmp_path / ".config/pip/pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text(
        "[global]\nindex_url = https://file.example\ncert = /file.pem\n[install]\ncert = /install.pem\n"
    )
    environ = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://variable.example"}
    options = pip_options(environ)
    assert options["index-url"] == "https://variable.example"
    assert options["cert"] == "/install.pem"


def test_the_named_file_is_the_most_specific(tmp_path: Path) -> None:
    home = tmp_path / ".pip/pip.conf"
    home.parent.mkdir()
    home.write_text("[global]\nindex-url = https://home.example\n")
    named = tmp_path / "named.conf"
    named.write_text("[global]\nindex-url = https://named.example\n")
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(named)}
    assert pip_options(environ)["index-url"] == "https://named.example"


def test_a_broken_file_does_not_stop_the_installation(tmp_path: Path) -> None:
    named = tmp_path / "named.conf"
    named.write_text("index-url without a section\n")
    environ = {"PIP_CONFIG_FILE": str(named), "PIP_CERT": "/ca.pem"}
    assert pip_options(environ)["cert"] == "/ca.pem"
