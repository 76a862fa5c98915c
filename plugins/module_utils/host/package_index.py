# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where packages come from on this machine: pip's configuration, said again for uv.

People configure pip (``pip.conf`` or ``PIP_*``) for mirrors and private certificate authorities,
and uv reads none of it. Imports only the standard library, because ``scripts/bootstrap.py`` loads
this file before anything is installed.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

# pip's option -> uv's variable. Where pip takes several values they are separated by white space;
# uv separates indexes by a space and links by a comma (uv reference, "Environment variables").
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
_COMMA_SEPARATED = frozenset({"UV_FIND_LINKS"})


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Say pip's configuration in the variables that uv reads.

    Args:
        environ: The environment of the process, which holds ``PIP_*`` and ``HOME``.

    Returns:
        Only the variables to add: what ``environ`` already says to uv is left alone.
    """
    added: dict[str, str] = {}
    for option, value in pip_options(environ).items():
        variable = _VARIABLES.get(option)
        if variable is None or environ.get(variable):
            continue
        separator = "," if variable in _COMMA_SEPARATED else " "
        added[variable] = separator.join(value.split())
    # pip treats all indexes alike; uv on its own stops at the first that knows the package's name.
    if "UV_INDEX" in added and not environ.get("UV_INDEX_STRATEGY"):
        added["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return added


def pip_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Read pip's configuration: files from the least to the most specific, then ``PIP_*`` variables.

    Args:
        environ: The environment of the process.

    Returns:
        Option name as on pip's command line (``index-url``) to its value; empty values are left out.
    """
    options: dict[str, str] = {}
    for path in _configuration_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself says what is wrong with the file when it is used
        for section in ("global", "install"):
            if parser.has_section(section):
                options.update(
                    {key.replace("_", "-"): value for key, value in parser.items(section) if value}
                )
    for variable, value in environ.items():
        if variable.startswith("PIP_") and value:
            options[variable.removeprefix("PIP_").lower().replace("_", "-")] = value
    return options


def _configuration_files(environ: Mapping[str, str]) -> list[Path]:
    """List the files in pip's search order (its manual, "Configuration"), less the environment's."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf")]
    home = environ.get("HOME")
    if home:
        files += [Path(home, ".pip/pip.conf")]
    configuration = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    if configuration:
        files += [Path(configuration, "pip/pip.conf")]
    if chosen:
        files += [Path(chosen)]
    return files
