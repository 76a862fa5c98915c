# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests of a node, and of tests that play a part of a cluster which is not there, to the API server."""

from __future__ import annotations

import typing as t

import httpx
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.api import Api
from ansible_collections.inferencebox.platform.plugins.module_utils.cluster.kubeconfig import load
from ansible_collections.inferencebox.platform.plugins.module_utils.errors import RefusedError

Object = dict[str, t.Any]
_JSON = {"Content-Type": "application/json"}
_MERGE = {"Content-Type": "application/merge-patch+json"}


class Requests(Api):
    """What the collection's own client never does: create, patch and bind."""

    @classmethod
    def to(cls, kubeconfig: str) -> Requests:
        """Connect as the user of a kubeconfig."""
        return cls(load(kubeconfig), 30.0)

    def find(self, path: str) -> Object | None:
        """Read one thing; None where there is nothing."""
        try:
            return self.get(path)
        except RefusedError as error:
            if error.code == httpx.codes.NOT_FOUND:
                return None
            raise

    def items(self, path: str, **query: str) -> list[Object]:
        """List the objects at a collection's path."""
        return list(self._request("GET", path, query)[1].get("items") or [])

    def create(self, path: str, body: Object) -> Object:
        """Create one object at a collection's path."""
        return self._request("POST", path, headers=_JSON, body=body)[1]

    def merge(self, path: str, body: Object) -> Object:
        """Merge into one object."""
        return self._request("PATCH", path, headers=_MERGE, body=body)[1]

    def remove(self, path: str) -> None:
        """Delete one object at once; what is gone is well."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
        try:
            self._request("DELETE", path, headers=_JSON, body=options)
        except RefusedError as error:
            if error.code != httpx.codes.NOT_FOUND:
                raise
