# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node for the tests' control plane, whose containers are plain processes: no images, no container engine.

Pods that the real scheduler binds to it get a network of their own. A container whose image is known here is run as
the program that stands for it, with the environment, arguments, volumes, tokens and probes of its Pod, so that
upstream's own Deployments start upstream's own programs. Containers of other images are said to be running and ready,
and answer nothing.
"""
