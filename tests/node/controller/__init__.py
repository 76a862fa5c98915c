# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform of inventories/node with a tier 1 that Envoy Gateway and the AI Gateway's controller run."""
