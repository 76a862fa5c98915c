# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Small models to try a platform with, as package data: `source: python://inferencebox_samples/iris`.

Each directory holds the model file and `example.json`, a V1 request body that the model answers.
`python -m inferencebox_samples.train` makes them again.
"""
