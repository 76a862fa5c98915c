# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Envoy configuration of both tiers: typed inputs in, plain dictionaries out.

Nothing here reads a file, knows Ansible or knows the inventory. `tier1.build` and `tier2.build` return an
`EnvoyConfig`: the bootstrap and the file-based xDS resources by file name.
"""
