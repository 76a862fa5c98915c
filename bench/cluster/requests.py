# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests as the API server's audit log has them: by whom, not by what a client says of itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

# The log is written in batches of at most this age.
_BATCH_SECONDS = 2.0


class Requests:
    """Counts what was asked since some moment.

    Args:
        log: The audit log, one JSON document a line.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0

    def skip(self) -> None:
        """Forget what was asked so far."""
        time.sleep(_BATCH_SECONDS)
        self._offset = self._log.stat().st_size

    def count(self, agent: str) -> int:
        """Count requests of clients whose user agent begins with some text."""
        time.sleep(_BATCH_SECONDS)
        with self._log.open("rb") as log:
            log.seek(self._offset)
            events = [json.loads(line) for line in log]
        return sum(
            event["stage"] == "ResponseComplete" and event.get("userAgent", "").startswith(agent)
            for event in events
        )
