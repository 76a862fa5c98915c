# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The least that a node needs of a bundle: its programs, and the images of pods' first process and the name service."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.catalogue import TRAINS
from ansible_collections.inferencebox.platform.plugins.module_utils.kubernetes import images

from inferencebox.bundle import image
from inferencebox.bundle.recipes import RECIPES, parts_of
from inferencebox.bundle.tree import Tree
from inferencebox.programs import collecting

TRAIN = TRAINS[max(TRAINS)]


def fill(directory: Path) -> None:
    """Build programs and images into a directory."""
    programs = directory / "programs"
    kubernetes = next(iter(TRAIN.node_kubernetes.values()))
    collecting.collect(programs, (*collecting.NODE_TOOLS, kubernetes, "pause", "coredns"))
    archives = directory / "images"
    archives.mkdir(exist_ok=True)
    parts = parts_of(directory)
    for name, published in TRAIN.node_images.items():
        tree = Tree()
        settings = RECIPES[images.repository(published)].fill(parts, tree, directory)
        image.write(archives / f"{name}.tar", published, tree, settings)
