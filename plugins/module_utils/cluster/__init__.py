# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Side effects on a Kubernetes cluster: server-side apply, pruning, waiting, and reading what is there.

Takes plain objects and knows neither the inventory nor the builders. Runs where Ansible runs, beside a kubeconfig.
"""
