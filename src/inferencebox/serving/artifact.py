# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Find the model file of a replica, and say what is there instead when it is not."""

from __future__ import annotations

from pathlib import Path

from .errors import LoadError

# Enough names to recognize a wrong directory by.
_NAMES_SHOWN = 5


def find_model_file(artifact: Path, suffixes: tuple[str, ...], title: str) -> Path:
    """Return the one model file that an artifact is or holds.

    Args:
        artifact: A file, or a directory with exactly one file that has one of the suffixes. When several have one,
            the one called `model` wins: other files may lie beside it.
        suffixes: What the framework's files end in, dot included.
        title: The framework as people call it, for the errors.

    Raises:
        LoadError: Nothing is there, nothing fits, or more than one file does.
    """
    try:
        if artifact.is_file():
            return artifact
        if not artifact.is_dir():
            raise LoadError(f"{artifact} does not exist")
        names = sorted(entry.name for entry in artifact.iterdir() if entry.is_file())
    except PermissionError as error:
        raise LoadError(f"{error.filename} may not be read by this user") from error
    fitting = [name for name in names if name.endswith(suffixes)]
    named = [name for name in fitting if Path(name).stem == "model"]
    if len(named) == 1:
        return artifact / named[0]
    wanted = f"{title} model file ({', '.join('*' + suffix for suffix in suffixes)})"
    if len(fitting) > 1:
        raise LoadError(f"{artifact} holds more than one {wanted}: {_some(fitting)}")
    if not fitting:
        raise LoadError(f"{artifact} holds no {wanted}, but {_some(names) if names else 'nothing'}")
    return artifact / fitting[0]


def _some(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
