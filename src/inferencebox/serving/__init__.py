# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The process that serves one replica of one model on a Unix socket.

It runs in the runtime environment of a platform, as the user of the model's tenant, and knows nothing of the
inventory: one JSON file, the replica spec, tells it everything. See `spec.ReplicaSpec` for the keys.
"""
