# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What keeps a bundle from being made."""

from __future__ import annotations


class BundleError(RuntimeError):
    """Something is missing or was refused; the text says what, and what to do."""
