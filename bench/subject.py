# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform under measurement: started for it, with the ways into it at each depth."""

from __future__ import annotations

import json
import ssl
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor import (
    Supervisor,
)
from ansible_collections.inferencebox.platform.plugins.module_utils.host.supervisor_ini import (
    Daemon,
)

from tests.behaviour.client import fetch_token
from tests.behaviour.own_platform import OwnPlatform
from tests.behaviour.platform_json import Model, Platform

from .endpoint import Endpoint
from .errors import BenchError


class Subject:
    """A running platform, the model that is asked for predictions and the one that chats."""

    def __init__(self, platform: Platform, home: Path) -> None:
        """Look at a running platform.

        Args:
            platform: As it describes itself.
            home: Its directory.
        """
        self.platform = platform
        self.home = home
        self.predictive = next(m for m in platform.models.values() if {"v1", "v2"} <= {*m.apis})
        self.llm = next(m for m in platform.models.values() if "chat" in m.apis)

    # Ways in, from the innermost to the outermost

    def direct(self, model: Model) -> Endpoint:
        """The model server itself, on its Unix socket, with its credential."""
        replica = self._replica(model)
        return Endpoint(
            "direct",
            model.name,
            self.credential_file(model).read_text(encoding="ascii").strip(),
            unix=str(replica["socket"]),
        )

    def tier2(self, model: Model) -> Endpoint:
        """Tier 2 as tier 1 reaches it: mutual TLS on a Unix socket, the model named by host."""
        context = ssl.create_default_context(cafile=str(self.platform.ca_file))
        # Its identity is a SPIFFE URI, no host name.
        context.check_hostname = False
        context.load_cert_chain(
            self.certificate("client", "crt"), self.certificate("client", "key")
        )
        return Endpoint("tier2", self.model_host(model), None, unix=self.tier2_socket, tls=context)

    def both(self, model: Model) -> Endpoint:
        """Both tiers, as a caller: TLS and a token of the tenant that owns the model."""
        return Endpoint(
            "both",
            self.platform.host,
            fetch_token(self.platform, model.owner),
            address=self.platform.address,
            tls=self.tls(),
        )

    # What peers need to stand where the tiers stand

    def tls(self) -> ssl.SSLContext:
        """A client's side of TLS to the gateway, or to a peer with the gateway's certificate."""
        return ssl.create_default_context(cafile=str(self.platform.ca_file))

    def certificate(self, name: str, suffix: str) -> str:
        """Path of one of tier 1's certificates (`server`, `client`), or of its key."""
        return str(self.home / "pki" / "tier1" / f"{name}.{suffix}")

    def credential_file(self, model: Model) -> Path:
        """The file with a model server's credential."""
        return Path(self._replica(model)["credential_file"])

    def socket(self, model: Model) -> str:
        """A model server's Unix socket."""
        return str(self._replica(model)["socket"])

    def model_host(self, model: Model) -> str:
        """The name by which tier 2 knows a model."""
        return f"{model.name}.{model.owner}.{self.platform.host.partition('.')[2]}"

    @property
    def tier2_socket(self) -> str:
        """Where tier 2 listens."""
        return str(self.home / "run" / "tier2" / "gateway.sock")

    @property
    def envoy(self) -> str:
        """The Envoy that the tiers run on."""
        return str(self.home / "runtime" / "bin" / "envoy")

    # Its processes

    def pids(self) -> dict[str, int]:
        """Every process by name, the process manager included."""
        daemon = Daemon(str(self.home))
        programs = {name: one.pid for name, one in Supervisor(daemon).status().items() if one.pid}
        return {"supervisord": int(Path(daemon.pid_file).read_text()), **programs}

    def admin(self, tier: str) -> str:
        """Admin socket of a tier."""
        return str(self.home / "run" / tier / "admin.sock")

    def _replica(self, model: Model) -> dict[str, t.Any]:
        specs = self.home.glob(f"replicas/{model.owner}/model.{model.owner}.{model.name}.*.json")
        try:
            return dict(json.loads(next(specs).read_text(encoding="utf-8")))
        except StopIteration:
            raise BenchError(f"the platform has no replica of {model.name}") from None


@contextmanager
def running() -> Iterator[Subject]:
    """Start a platform of `inventories/local` beside whatever runs here, and remove it in the end.

    Raises:
        BenchError: It does not start.
    """
    own = OwnPlatform()
    try:
        try:
            own.up()
        except RuntimeError as error:
            raise BenchError(str(error)) from error
        yield Subject(Platform.read(own.platform_json), own.home)
    finally:
        own.remove()
