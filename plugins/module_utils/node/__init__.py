# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Kubernetes node of plain binaries on one machine, as plain data; nothing here touches the machine.

layout      where everything of it lies, and its addresses
pki         the authorities and certificates by which its parts know each other
settings    the files that configure its parts
programs    which programs it runs, with which arguments
objects     what its cluster needs before anything else: the name service
plan        all of it, part by part, for the roles
"""
