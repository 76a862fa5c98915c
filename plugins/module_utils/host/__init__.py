# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Side effects on one machine: files, Envoy's live configuration, supervised processes, identities.

Standard library only (`identity` and `certificates` also need cryptography, the first PyJWT too, imported when used), because modules ship
these files to the target. Each function says whether it changed anything and honours check mode.
"""
