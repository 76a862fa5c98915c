# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Of which release of Kubernetes a node's programs are, and whether they may follow those that ran last.

The rules are Kubernetes' own: one minor release at a time, the API server first, and no part newer than it.
https://kubernetes.io/releases/version-skew-policy/
"""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

API_SERVER = "kube-apiserver"
# By how many minor releases a part may be older than its API server.
_OLDER = {"kube-controller-manager": 1, "kube-scheduler": 1, "kubelet": 3, "kube-proxy": 3}
PARTS = (API_SERVER, *_OLDER)

_SECONDS = 60.0
_RELEASE = re.compile(r"v\d+\.\d+\.\d+\S*")

Releases = t.Mapping[str, str]


@dataclass(frozen=True)
class Admitted:
    """What an inventory admits.

    Attributes:
        train: Its release train.
        lowest: First minor release of Kubernetes that the train runs on.
        highest: The last.
        wanted: The minor release that the inventory names; empty for any of them.
    """

    train: str
    lowest: str
    highest: str
    wanted: str = ""


def record_of(directory: str) -> Path:
    """File in a node's folder that names the releases that ran last, as JSON."""
    return Path(directory, "kubernetes.json")


def read(programs: t.Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Ask programs of which release they are.

    Args:
        programs: Path of each by name.

    Returns:
        Release by name, such as "v1.2.3"; a sentence for each that does not say.
    """
    with ThreadPoolExecutor() as pool:
        said = dict(zip(programs, pool.map(_said, programs.values()), strict=True))
    found = {name: match[0] for name, text in said.items() if (match := _RELEASE.search(text))}
    problems = [
        f"{programs[name]} --version does not name a release of Kubernetes, but says: {text or 'nothing'}."
        for name, text in said.items()
        if name not in found
    ]
    return found, problems


def recorded(directory: str) -> tuple[dict[str, str], list[str]]:
    """Read which releases ran last.

    Args:
        directory: Folder of the node's state.

    Returns:
        Release by name, empty where none has run; a sentence if that cannot be read.
    """
    path = record_of(directory)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: found[name] for name in PARTS if name in found}, []
    except FileNotFoundError:
        return {}, []
    except (OSError, TypeError, ValueError) as error:
        example = json.dumps({API_SERVER: "v1.2.3"})
        problem = (
            f"{path} does not say which release ran last ({error}): write {example}, with the one that "
            f"{API_SERVER}.log in the folder logs names last."
        )
        return {}, [problem]


def problems(found: Releases, last: Releases, admitted: Admitted) -> list[str]:
    """Say why programs may not run, a sentence for each reason.

    Args:
        found: Release of each program that would run.
        last: Release of each that ran last; empty where none has.
        admitted: What the inventory admits.
    """
    if API_SERVER not in found:
        return []  # said among the programs that are missing
    api = found[API_SERVER]
    return [
        *_range(api, admitted),
        *_parts(found, api),
        *_order(api, last),
    ]


def _range(api: str, admitted: Admitted) -> t.Iterator[str]:
    if not _minor(admitted.lowest) <= _minor(api) <= _minor(admitted.highest):
        yield (
            f"{API_SERVER} is of {api}, and train {admitted.train} runs on Kubernetes "
            f"{admitted.lowest} to {admitted.highest}: use programs of one of these releases."
        )
    elif admitted.wanted and _minor(admitted.wanted) != _minor(api):
        yield (
            f"platform_cluster.node.kubernetes is {admitted.wanted}, and {API_SERVER} is of {api}: fill the bundle by "
            "playbooks/bundle.yml, or change the one or the other."
        )


def _parts(found: Releases, api: str) -> t.Iterator[str]:
    for name, allowed in _OLDER.items():
        if name not in found:
            continue
        behind = _behind(found[name], api)
        if behind < 0:
            yield (
                f"{name} is of {found[name]}, newer than {API_SERVER} of {api}: no part may be newer than its "
                "API server, which is replaced first."
            )
        elif behind > allowed:
            yield (
                f"{name} is of {found[name]}, and {API_SERVER} of {api}: at most {allowed} minor "
                f"{'release' if allowed == 1 else 'releases'} may lie between them."
            )


def _order(api: str, last: Releases) -> t.Iterator[str]:
    before = last.get(API_SERVER)
    if before is None:
        return
    step = _behind(before, api)
    if step < 0:
        yield (
            f"This node's state was kept by Kubernetes {before}, and {API_SERVER} is of {api}: an older minor release "
            f"need not understand what a newer one has written. Put programs of {_name(before)} back, or remove the "
            "node by `inferencebox clean` and make it anew."
        )
    elif step > 1:
        yield (
            f"This node ran Kubernetes {before} last, and {API_SERVER} is of {api}: Kubernetes goes on by one minor "
            f"release at a time. Run programs of {_next(before)} first."
        )
    elif step:
        for name, allowed in _OLDER.items():
            if name in last and _behind(last[name], api) > allowed:
                yield (
                    f"{name} of {last[name]} ran last, too old for {API_SERVER} of {api}, which would be started "
                    f"beside it: replace {name} by one of {_name(before)} first, and run this."
                )


def _behind(older: str, newer: str) -> int:
    """By how many minor releases; a release of another major one is further away than any."""
    (major, minor), (other, last) = _minor(older), _minor(newer)
    return last - minor + 1000 * (other - major)


def _minor(release: str) -> tuple[int, int]:
    major, minor = release.removeprefix("v").split(".")[:2]
    return int(major), int(minor)


def _name(release: str) -> str:
    return ".".join(map(str, _minor(release)))


def _next(release: str) -> str:
    major, minor = _minor(release)
    return f"{major}.{minor + 1}"


def _said(path: str) -> str:
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout.strip() or done.stderr.strip()
