# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The controllers that make a platform's objects real, installed with their own charts and run as upstream's programs.

One file a component: which charts, with which settings, and which program stands for which image.
"""
