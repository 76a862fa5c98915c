# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What can go wrong before a replica serves."""

from __future__ import annotations


class ReplicaError(Exception):
    """A replica cannot start, and starting it again would not help.

    The text is one sentence for the person who owns the model.
    """


class SpecError(ReplicaError):
    """The replica spec cannot be used."""


class LoadError(ReplicaError):
    """The model cannot be loaded; the text is the reason, with the file and what was found in it."""
