"""What Open vSwitch's database holds."""

from __future__ import annotations

import json

from pyinfra.api import FactBase


class OpenVSwitch(FactBase):
    """Bridges with their datapath and ports, and the switch's ``other_config``, in one round trip.

    Answers ``{"options": {key: value}, "bridges": {name: {"datapath": …, "ports": [name, …]}}}``.
    """

    def command(self) -> str:
        return (
            "ovs-vsctl --timeout=10 --format=json --columns=other_config list Open_vSwitch"
            " && ovs-vsctl --timeout=10 --format=json --columns=name,datapath_type,ports list Bridge"
            " && ovs-vsctl --timeout=10 --format=json --columns=_uuid,name list Port"
        )

    def process(self, output: list[str]) -> dict:
        options, bridges, ports = (json.loads(line)["data"] for line in output if line.strip())
        names = {row[0][1]: row[1] for row in ports}
        return {
            "options": dict(options[0][0][1]) if options else {},
            "bridges": {
                name: {
                    "datapath": datapath,
                    "ports": sorted(names[uuid] for uuid in _uuids(members) if names.get(uuid) != name),
                }
                for name, datapath, members in bridges
            },
        }


def _uuids(column: list) -> list[str]:
    """OVSDB writes a set of one as the element itself."""
    kind, value = column
    return [value] if kind == "uuid" else [uuid for _, uuid in value]
