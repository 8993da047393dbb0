"""Who brings a host's interfaces up, and who lets packets in."""

from __future__ import annotations

from pyinfra.api import FactBase

MANAGER = "NetworkManager"
FIREWALL = "firewalld"
# EL's network scripts, Debian's ifupdown, systemd's own.
OTHERS = ("network", "networking", "systemd-networkd")


class NetworkServices(FactBase[dict]):
    """``{"NetworkManager": {"active": bool, "enabled": bool}, …}``: who configures interfaces, and firewalld.

    One that the host does not have is neither.
    """

    def command(self) -> str:
        return (
            f"for unit in {' '.join((MANAGER, FIREWALL, *OTHERS))}; do echo $unit "
            "active=$(systemctl is-active $unit 2>/dev/null | tail -n 1) "
            "enabled=$(systemctl is-enabled $unit 2>/dev/null | tail -n 1); done"
        )

    def process(self, output: list[str]) -> dict:
        found = {}
        for line in output:
            unit, active, enabled = line.split()
            found[unit] = {"active": active == "active=active", "enabled": enabled == "enabled=enabled"}
        return found
