# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the whole platform takes on a node of plain binaries: time of each role, memory, and the latency that its tiers add."""
