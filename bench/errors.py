# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one way in which a measurement ends early."""

from __future__ import annotations


class BenchError(Exception):
    """Something is missing or went wrong; the text is one sentence that says what to do."""
