# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How fast and how large the platform is, measured beside its peers in one run.

`make bench`, `make bench-start` and `make bench-node` measure, write `bench/results/*.json`, and from these the tables of
`docs/performance.md`. What is measured, and how, stands on that page.
"""
