"""Hold what was found against what is expected. Pure: answers of the hosts in, a report out.

The answers are those of the programs in ``operations/remote/``; where one is missing or an error, every check
that needed it fails with that reason.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from cloud import expected, redundancy, repositories
from cloud.certificates import RENEW_DAYS
from cloud.model import INTERFACES, Cloud
from cloud.verdict import Answers, Report, heartbeats, part

# Seconds; the largest of the services' own defaults (neutron's).
DOWN_TIME = 75

GIB = 1024**3
POOL_FULL = 80  # percent
INTEGRATION_BRIDGE = "br-int"  # neutron's name for it
# Features of a datapath without which the firewall's flows are refused, and everything is let through.
TRACKING = ("CT state", "CT zone", "CT mark")
# cinder-status takes a volume that no host ever had for one from before Queens, and fails for it: one whose
# scheduling failed, or is under way.
UNTAKEN = "Failure: Service UUIDs: "
UNTAKEN_HINT = " Or remove those that no host ever took: openstack volume list --all-projects --status error"


def judge(cloud: Cloud, answers: Answers) -> Report:
    """The whole report."""
    report = Report()
    _hosts(report, cloud, answers)
    _repositories(report, cloud, answers)
    _units(report, cloud, answers)
    _ports(report, cloud, answers)
    redundancy.balancers(report, cloud, answers)
    redundancy.clusters(report, cloud, answers)
    redundancy.keys(report, cloud, answers)
    redundancy.images(report, cloud, answers)
    _clocks(report, cloud, answers)
    _security_groups(report, cloud, answers)
    _volume_groups(report, cloud, answers)
    asker = answers.asker or cloud.first("controller").name
    if asker in answers.left_out:
        report.warn("every controller is outside --limit: the APIs were not asked")
    else:
        _services(report, cloud, answers.api)
        if cloud.packstack:
            _whatever_is_there(report, cloud, asker, answers.api)
        else:
            _endpoints(report, cloud, asker, answers.api)
            _schemas(report, cloud, asker, answers.schemas)
        _certificates(report, cloud, asker, answers.api)
        _upgrades(report, cloud, asker, answers.upgrades)
    if answers.left_out:
        report.warn(f"outside --limit, not looked at: {', '.join(answers.left_out)}")
    return report


def api_request(cloud: Cloud, admin: dict[str, Any]) -> dict[str, Any]:
    """What ``verify_api.py`` is asked.

    Args:
        cloud: the model.
        admin: the administrator's login.
    """
    return {
        "admin": admin,
        "timeout": 10,
        "ca": cloud.ca_file,
        "tls": [list(place) for place in expected.tls_endpoints(cloud)],
    }


def all_reported(cloud: Cloud, api: dict | str) -> bool:
    """Whether every expected service, agent and hypervisor is up, by what the APIs answered."""
    report = Report()
    _services(report, cloud, api)
    return report.ok


def _hosts(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in answers.asked(cloud.nodes):
        answer = answers.hosts.get(name, "unreachable over SSH")
        report.add(
            "Hosts",
            name,
            "answers",
            "yes",
            answer if isinstance(answer, str) else "yes",
            isinstance(answer, dict),
        )


def has_yum(cloud: Cloud, host: str) -> bool:
    """Whether a host's packages come by yum."""
    return cloud.node(host).settings.platform == "el"


def _repositories(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in answers.asked(cloud.nodes):
        if not has_yum(cloud, name):
            continue
        wanted = cloud.sources(name)
        keys = {fingerprint: file for file, key in wanted.keys.items() for fingerprint in key.fingerprint}
        expected_keys = f"{len(keys)} imported"
        enabled = ", ".join(wanted.enabled) or "any"
        found = part(answers.hosts.get(name, "unreachable over SSH"), "yum")
        try:
            there = repositories.parse(found["files"]) if isinstance(found, dict) else None
        except ValueError as problem:
            found, there = str(problem), None
        if there is None:
            report.add("Repositories", name, "enabled", enabled, found, False)
            continue
        comparison = repositories.compare(wanted, there)
        report.add("Repositories", name, "enabled", enabled, comparison.text, comparison.ok)
        if keys:
            lacking = [f"{file} ({key})" for key, file in keys.items() if key not in found["imported"]]
            text = f"not imported: {', '.join(lacking)}" if lacking else expected_keys
            report.add("Repositories", name, "keys", expected_keys, text, not lacking)
        for warning in repositories.warnings(wanted, there):
            report.warn(f"{name}: {warning}")


def _units(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in answers.asked(cloud.nodes):
        found = part(answers.hosts.get(name, "unreachable over SSH"), "units")
        for unit in expected.units(cloud, name):
            if isinstance(found, str):
                report.add("Units", name, unit, "active, enabled", found, False)
                continue
            state = found.get(unit, {"active": "no answer", "sub": "", "enabled": "", "restarts": 0})
            running = state["active"] == "active"
            starts = state["enabled"] not in ("disabled", "masked", "masked-runtime", "")
            text = f"{state['active']} ({state['sub']}), {state['enabled'] or 'no such unit'}"
            report.add("Units", name, unit, "active, enabled", text, running and starts)
            if state["restarts"]:
                report.warn(
                    f"{unit} on {name} was restarted {state['restarts']} times by systemd after a crash"
                )


def _ports(report: Report, cloud: Cloud, answers: Answers) -> None:
    for port in expected.ports(cloud):
        if port.host in answers.left_out:
            continue
        found = part(answers.hosts.get(port.host, "unreachable over SSH"), "ports")
        where = f"{port.address}:{port.port}"
        reason = found if isinstance(found, str) else found[where]
        report.add(
            "Ports", port.host, f"{port.service} {where}", "listening", reason or "listening", reason is None
        )


def _clocks(report: Report, cloud: Cloud, answers: Answers) -> None:
    reference = cloud.first("controller").name
    limit = cloud.settings.clock_offset_limit
    if reference in answers.left_out:
        report.warn(f"{reference} is outside --limit: the clocks were not compared with its clock")
        return
    base = answers.clocks.get(reference)
    for name in answers.asked(cloud.nodes):
        own = answers.clocks.get(name)
        check, want = f"offset to {reference}", f"within {limit} s"
        if own is None or base is None:
            missing = name if own is None else reference
            report.add("Clocks", name, check, want, f"{missing} did not tell its time", False)
            continue
        offset, error = own[0] - base[0], own[1] + (0 if name == reference else base[1])
        # What the measurement itself may be off by is not held against the clock.
        ok = abs(offset) - error <= limit
        report.add("Clocks", name, check, want, f"{offset:+.3f} s (± {error:.3f})", ok)


def _security_groups(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in answers.asked(cloud.nodes):
        if "openvswitch" not in cloud.network_agents(name):
            continue
        check, want = "Open vSwitch tracks connections", "state, zone, mark"
        found = part(answers.hosts.get(name, "unreachable over SSH"), "tracking")
        if isinstance(found, str):
            report.add("Security groups", name, check, want, found, False)
            continue
        missing = [feature for feature in TRACKING if not found.get(feature)]
        text = f"its datapath has no {', '.join(missing)}: nothing is blocked" if missing else want
        report.add("Security groups", name, check, want, text, not missing)


def _volume_groups(report: Report, cloud: Cloud, answers: Answers) -> None:
    group = cloud.settings.volume_group
    for node in cloud.doing("storage"):
        if node.name in answers.left_out:
            continue
        found = part(answers.hosts.get(node.name, "unreachable over SSH"), "volume_group")
        if isinstance(found, str):
            report.add("Volume groups", node.name, group, "present", found, False)
            continue
        text = f"{found['size'] / GIB:.1f} GiB, {found['free'] / GIB:.1f} GiB free"
        if found["pool"] is not None:
            text += f", thin pool {found['pool']:.0f} % full"
            if found["pool"] >= POOL_FULL:
                report.warn(f"{group} on {node.name}: a full thin pool stops every volume in it; add a disk")
        text += f", {found['volumes']} volumes"
        report.add("Volume groups", node.name, group, "present", text, found["size"] > 0)


def _services(report: Report, cloud: Cloud, api: dict | str) -> None:
    limit = cloud.settings.service_down_time or DOWN_TIME
    for section, key, wanted in (
        ("Compute services", "nova_services", expected.nova_services(cloud)),
        ("Network agents", "neutron_agents", expected.neutron_agents(cloud)),
        ("Volume services", "cinder_services", expected.cinder_services(cloud)),
    ):
        if cloud.packstack and key == "neutron_agents":
            continue  # its answers choose them: see _whatever_is_there
        found = part(api, key)
        if isinstance(found, str):
            for host, name in wanted:
                report.add(section, host, name, "up", found, False)
        else:
            heartbeats(report, section, wanted, found, limit)
    _volume_pools(report, cloud, part(api, "volume_pools"))
    found = part(api, "hypervisors")
    for host in expected.hypervisors(cloud):
        if isinstance(found, str):
            state = found
        else:
            known = {item["host"]: "up" if item["up"] else "down" for item in found}
            state = known.get(host, "not registered")
        report.add("Hypervisors", host, "hypervisor", "up", state, state == "up")


def _volume_pools(report: Report, cloud: Cloud, found: list[dict] | str) -> None:
    """A volume service sends heartbeats while its driver starts, and every volume fails until it has."""
    for backend in expected.volume_backends(cloud):
        if isinstance(found, str):
            text, ok = found, False
        else:
            mine = [pool for pool in found if pool["backend"] == backend]
            ok = any(pool["up"] for pool in mine)
            if not mine:
                text = "no pool: its driver is still starting, or can't (see cinder-volume's log there)"
            else:
                state = "" if ok else ", down"
                text = ", ".join(f"{pool['free']} GiB free" for pool in mine) + state
        report.add("Volume pools", backend, "can take volumes", "free space", text, ok)


def _endpoints(report: Report, cloud: Cloud, host: str, api: dict | str) -> None:
    found = part(api, "endpoints")
    for service in cloud.services.values():
        for entry, interface in product(service.spec.entries, INTERFACES):
            check = f"{entry.name} {interface}"
            url = service.url(interface, entry.path)
            if isinstance(found, str):
                report.add("Endpoints", host, check, url, found, False)
                continue
            matching = [
                item
                for item in found
                if item["service"] == entry.name
                and item["interface"] == interface
                and item["region"] == cloud.settings.region
            ]
            if len(matching) != 1:
                report.add("Endpoints", host, check, url, f"{len(matching)} endpoints in the catalog", False)
                continue
            item = matching[0]
            answered = isinstance(item["status"], int) and item["status"] < 500
            state = f"answers {item['status']}" if answered else f"no answer: {item['status']}"
            if item["url"] != url:
                state += f", but its URL is {item['url']}"
            report.add("Endpoints", host, check, url, state, answered and item["url"] == url)


def _whatever_is_there(report: Report, cloud: Cloud, host: str, api: dict | str) -> None:
    """Agents and endpoints of a cloud whose answer file, which is packstack's, says which ones there are."""
    agents = part(api, "neutron_agents")
    limit = cloud.settings.service_down_time or DOWN_TIME
    if isinstance(agents, str):
        report.add("Network agents", host, "all", "up", agents, False)
    else:
        heartbeats(report, "Network agents", [(a["host"], a["name"]) for a in agents], agents, limit)
        for node in cloud.doing("compute"):
            count = sum(agent["host"] == node.name for agent in agents)
            report.add("Network agents", node.name, "agents", "at least one", count, count > 0)
    found = part(api, "endpoints")
    if isinstance(found, str):
        report.add("Endpoints", host, "all", "an answer", found, False)
        return
    report.add("Endpoints", host, "in the catalog", "at least one", len(found), bool(found))
    for item in found:
        answered = isinstance(item["status"], int) and item["status"] < 500
        state = f"answers {item['status']}" if answered else f"no answer: {item['status']}"
        report.add("Endpoints", host, f"{item['service']} {item['interface']}", item["url"], state, answered)


def _certificates(report: Report, cloud: Cloud, host: str, api: dict | str) -> None:
    """What each endpoint showed the controller that asked, and whether a user's program would accept it."""
    found = part(api, "certificates")
    for address, port in expected.tls_endpoints(cloud):
        place = f"{address}:{port}"
        left = found if isinstance(found, str) else found.get(place, "no answer")
        if isinstance(left, str):
            report.add("Certificates", host, place, "trusted", left, False)
            continue
        report.add("Certificates", host, place, "trusted", f"{left:.0f} days left", left > 0)
        if left < RENEW_DAYS:
            report.warn(f"the certificate of {place} ends in {left:.0f} days: renew it (docs/tls.md)")


def _schemas(report: Report, cloud: Cloud, host: str, schemas: dict | str) -> None:
    for service in cloud.services.values():
        for schema in service.spec.schemas:
            found = part(schemas, schema.database)
            if isinstance(found, str):
                report.add("Schemas", host, schema.database, "at head", found, False)
                continue
            heads, versions = sorted(found["heads"]), sorted(found["found"])
            at_head = bool(heads) and heads == versions
            text = (
                "at head" if at_head else f"at {', '.join(versions) or 'nothing'}, head is {', '.join(heads)}"
            )
            report.add("Schemas", host, schema.database, "at head", text, at_head)


def _upgrades(report: Report, cloud: Cloud, host: str, upgrades: dict | str) -> None:
    for service in cloud.services.values():
        if not service.spec.status_command:
            continue
        command = f"{service.spec.status_command} upgrade check"
        found = part(upgrades, service.name)
        if isinstance(found, str):
            report.add("Upgrade checks", host, command, "success", found, False)
            continue
        status, findings = found["status"], upgrade_findings(found["output"])
        failures = [finding for finding in findings if finding.startswith("Failure: ")]
        if status == 2 and failures and all(failure.startswith(UNTAKEN) for failure in failures):
            status = 1
        text = {0: "success", 1: "success, with warnings"}.get(status)
        if text is None:
            text = f"status {status}: {'; '.join(findings or [found['output'][-300:]])}"
        report.add("Upgrade checks", host, command, "success", text, status in (0, 1))
        for finding in findings:
            hint = UNTAKEN_HINT if finding.startswith(UNTAKEN) else ""
            report.warn(f"{command}: {finding}{hint}")


def upgrade_findings(output: str) -> list[str]:
    """The checks in the output of an ``upgrade check`` that did not succeed: ``RESULT: CHECK: DETAILS``.

    Source: oslo.upgradecheck prints a box for each check, with the lines ``Check:``, ``Result:`` and
    ``Details:``, which may go on for some lines.
    """
    checks: list[dict[str, str]] = []
    key = ""
    for line in output.splitlines():
        text = line.strip().strip("|").strip()
        if not line.startswith("|") or not text:
            continue
        label, separator, value = text.partition(": ")
        if separator and label in ("Check", "Result", "Details"):
            key = label
            if key == "Check":
                checks.append({})
            if checks:
                checks[-1][key] = value
        elif checks and key:
            checks[-1][key] += f" {text}"
    return [
        f"{check['Result']}: {check.get('Check')}: {check.get('Details')}"
        for check in checks
        if check.get("Result", "Success") != "Success"
    ]
