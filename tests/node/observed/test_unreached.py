# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What callers are told of a model that is to have a replica and has none: to come again, in the words of their protocol."""

from __future__ import annotations

import pytest

from tests.behaviour.errors import check_error
from tests.behaviour.platform_json import Platform
from tests.node import machine
from tests.node.observed import asking, inventory
from tests.node.own_node import OwnNode

pytestmark = [machine.needed, pytest.mark.proves("L4", "tier2")]


def test_a_caller_is_told_to_come_again(
    node: OwnNode, platform: Platform, tokens: dict[str, str]
) -> None:
    def answer() -> int:
        return asking.model(platform, tokens[inventory.OTHER], inventory.STEADY).status_code

    asking.wait_until(lambda: answer() == 200, answer)
    place = (f"--namespace={inventory.OTHER}", f"deployment/{inventory.STEADY}-predictor")
    # KServe has it back at one soon, and its server takes longer to start.
    assert node.kubectl("scale", "--replicas=0", *place).returncode == 0
    asking.wait_until(lambda: answer() == 503, answer)
    told = asking.model(platform, tokens[inventory.OTHER], inventory.STEADY)
    check_error(told, f"/v1/models/{inventory.STEADY}:predict", 503)
    assert node.kubectl("scale", "--replicas=1", *place).returncode == 0
    asking.wait_until(lambda: answer() == 200, answer)
