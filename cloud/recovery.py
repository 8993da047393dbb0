"""Services that run and are not heard of: what a message queue that was away leaves behind. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cloud import expected
from cloud.model import Cloud
from cloud.verdict import Answers, Report, heartbeats
from cloud.verify import DOWN_TIME

KINDS = {name: kind for kind, name in expected.AGENT_KINDS.items()}


def silent(cloud: Cloud, answers: Answers) -> dict[str, list[str]]:
    """The units to restart: host -> those that are active while their heartbeat is dead.

    Args:
        cloud: the model.
        answers: of the hosts and the APIs; what nobody could ask is left alone.
    """
    found: dict[str, list[str]] = {}
    for host, process in _dead(cloud, answers):
        node = host.partition("@")[0]
        states = answers.hosts.get(node)
        units = states.get("units", {}) if isinstance(states, dict) else {}
        for unit in cloud.units(node, process):
            if (units.get(unit) or {}).get("active") == "active":
                found.setdefault(node, []).append(unit)
    return {host: list(dict.fromkeys(units)) for host, units in found.items()}


def _dead(cloud: Cloud, answers: Answers) -> Iterator[tuple[str, str]]:
    """(host, ``SERVICE/PROCESS``) of every expected service that the APIs have not heard of lately."""
    if not isinstance(answers.api, dict):
        return
    limit = cloud.settings.service_down_time or DOWN_TIME
    for key, wanted in (
        ("nova_services", expected.nova_services(cloud)),
        ("neutron_agents", expected.neutron_agents(cloud)),
        ("cinder_services", expected.cinder_services(cloud)),
    ):
        items = answers.api.get(key)
        if not isinstance(items, list):
            continue
        report = Report()
        heartbeats(report, key, wanted, items, limit)
        for check in report.failed:
            service = key.partition("_")[0]
            process = KINDS.get(check.check) or check.check.removeprefix(f"{service}-")
            process = "lbaas" if check.check == expected.LBAAS_AGENT else process
            yield check.host, f"{service}/{process}"
