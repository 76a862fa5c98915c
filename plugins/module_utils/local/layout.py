# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where everything of a platform lives on one machine, and which Unix user owns it."""

from __future__ import annotations

from dataclasses import dataclass

from ..inventory import unix_user

# Where the platform's own figures are shown: to this machine only.
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Host:
    """What must be known of the machine.

    Attributes:
        root: Installing as root: tiers and tenants become Unix users of their own.
        user: Name of the installing user, the owner of everything when `root` is false.
        group: Its primary group.
        cpus: Processors that may be used.
        envoy: Path of the Envoy binary.
    """

    root: bool
    user: str
    group: str
    cpus: int
    envoy: str


@dataclass(frozen=True)
class Layout:
    """Paths below `platform_home` and owners."""

    home: str
    platform: str
    host: Host

    def path(self, *parts: str) -> str:
        """A path below the platform's home."""
        return "/".join((self.home, *parts))

    def tier_user(self, tier: str) -> str:
        """The Unix user of a tier or service."""
        return self._user(tier)

    def tenant_user(self, tenant: str) -> str:
        """The Unix user of a tenant's model servers."""
        return self._user(f"t-{tenant}")

    def group_of(self, user: str) -> str:
        """A user's own group."""
        return user if self.host.root else self.host.group

    def _user(self, role: str) -> str:
        if not self.host.root:
            return self.host.user
        return unix_user(self.platform, role)

    @property
    def runtime(self) -> str:
        """The virtual environment of everything that runs."""
        return self.path("runtime")

    @property
    def python(self) -> str:
        """Its interpreter."""
        return self.path("runtime", "bin", "python")

    def tier(self, tier: str) -> str:
        """Configuration directory of a tier."""
        return self.path(tier)

    def admin_socket(self, tier: str) -> str:
        """Envoy's admin socket of a tier."""
        return self.path("run", tier, "admin.sock")

    @property
    def tier1_metrics_socket(self) -> str:
        """The socket at which tier 1 shows its counters to tier 2."""
        return self.path("run", "tier1", "metrics.sock")

    @property
    def tier2_socket(self) -> str:
        """The socket at which tier 2 listens for tier 1."""
        return self.path("run", "tier2", "gateway.sock")

    def log(self, program: str) -> str:
        """Log of a program's standard error."""
        return self.path("logs", f"{program}.log")

    def access_log(self, program: str) -> str:
        """Log of a program's standard output: JSON access logs for the tiers."""
        return self.path("logs", f"{program}.access.log")
