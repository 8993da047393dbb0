"""What firewalld lets in."""

from __future__ import annotations

from shlex import quote

from pyinfra.api import FactBase

# Arguments: addresses. Offline, firewalld's other command reads the files that it will start with.
ASK = """
export LC_ALL=C
if ! command -v firewall-cmd >/dev/null; then echo "state not installed"; exit 0; fi
state=$(firewall-cmd --state 2>&1 | tail -n 1)
echo "state $state"
echo "enabled $(systemctl is-enabled firewalld 2>/dev/null | tail -n 1)"
if [ "$state" = running ]; then ask=firewall-cmd; saved="firewall-cmd --permanent"
else ask=firewall-offline-cmd; saved=firewall-offline-cmd; fi
default=$($ask --get-default-zone) || exit 1
echo "default $default"
zones=$default
for address in "$@"; do
    device=$(ip -o -4 address show to "$address" | awk '{print $2; exit}')
    zone=
    if [ -n "$device" ]; then zone=$($ask --get-zone-of-interface="$device" 2>/dev/null | tail -n 1); fi
    case $zone in ''|*' '*) zone=$default ;; esac
    echo "zone $address $zone"
    zones="$zones $zone"
done
for zone in $(printf '%s\\n' $zones | sort -u); do
    for what in ports protocols services; do
        found=$($saved --zone="$zone" --list-$what) || exit 1
        echo "permanent $zone $what $found"
        if [ "$state" = running ]; then
            found=$($ask --zone="$zone" --list-$what) || exit 1
            echo "runtime $zone $what $found"
        fi
    done
done
echo "ssh $(PATH=$PATH:/usr/sbin sshd -T 2>/dev/null | sed -n 's/^port //p' | tr '\\n' ' ')"
""".strip()


class Firewall(FactBase[dict]):
    """State, zones and openings of firewalld, in one round trip.

    Answers ``{"state": "running" | "not running" | "not installed" | …, "enabled": bool, "default": zone,
    "zones": {address: zone}, "open": {zone: {"permanent": […], "runtime": […]}}, "ssh": […]}``: ports and
    protocols as firewalld writes them, ``ssh`` for its service of that name; ``ssh`` at the top has the ports
    that sshd listens on. Only zones of the addresses, and the default one, are in ``open``.

    Source: firewall-cmd(1), firewall-offline-cmd(1).
    """

    def command(self, addresses: list[str]) -> str:
        """
        Args:
            addresses: of the host; an interface without a zone of its own is in the default one.
        """
        return " ".join(["sh", "-c", quote(ASK), "firewall", *(quote(address) for address in addresses)])

    def process(self, output: list[str]) -> dict:
        answer: dict = {
            "state": "", "enabled": False, "default": "", "zones": {}, "open": {}, "ssh": [],
        }  # fmt: skip
        for line in output:
            word, _, rest = line.strip().partition(" ")
            if word in ("state", "default"):
                answer[word] = rest
            elif word == "enabled":
                answer["enabled"] = rest == "enabled"
            elif word == "ssh":
                answer["ssh"] = rest.split()
            elif word == "zone":
                address, zone = rest.split()
                answer["zones"][address] = zone
            elif word in ("permanent", "runtime"):
                zone, what, *found = rest.split()
                if what == "services":
                    found = [name for name in found if name == "ssh"]
                opened = answer["open"].setdefault(zone, {"permanent": [], "runtime": []})
                opened[word] += found
        return answer
