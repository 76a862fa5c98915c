# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A directory from which a platform is installed where there is neither registry nor internet.

Images come from registries, copied by skopeo, or are put together here of programs and Python packages: without a
daemon, without a distribution inside, and the same bytes each time.
"""
