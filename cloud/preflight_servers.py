"""Which time and name servers a host is to ask before the deploy, and what their answers mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cloud import apt
from cloud.checklist import REFUSED, SET, WARNING, Line, unreadable
from cloud.model import Cloud, Node
from cloud.preflight import State

SECONDS = 4  # that a server may take, the look-up of its name included


def request(cloud: Cloud, node: Node, state: State) -> dict[str, Any] | None:
    """What ``server_probe.py`` is asked on a host; None where there is nobody to ask.

    Only what can be there before the first deploy: the other hosts' time servers are the controllers.
    """
    time = cloud.settings.ntp_servers if cloud.does("controller", node) else []
    handed = map(str, cloud.settings.dns_servers) if cloud.does("network", node) else []
    names = list(dict.fromkeys([*state.resolvers, *handed]))
    if not (time or names):
        return None
    return {"time": time, "names": names, "question": _question(cloud, node, state), "seconds": SECONDS}


def _question(cloud: Cloud, node: Node, state: State) -> str:
    """A name that this host will have to look up; "" (the root's name servers) when it needs none."""
    urls = [cloud.settings.yum_mirror] if cloud.settings.yum_mirror else []
    urls += [repository.url for repository in cloud.sources(node).repositories.values()]
    servers = [*cloud.settings.ntp_servers, *(urlsplit(url).hostname for url in urls)]
    servers += [source.server for source in apt.sources(state.apt)]
    return next((name for name in servers if name and not _is_address(name)), "")


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def server_lines(
    cloud: Cloud, node: Node, state: State, answer: Mapping[str, Any] | str | None
) -> list[Line]:
    """What the time servers, the host's own name servers and the instances' have answered.

    Args:
        cloud, node, state: the model, the host, and what it is.
        answer: of ``operations/remote/server_probe.py``; the reason (text) why there is none; None: nobody
            was asked.
    """
    if isinstance(answer, str):
        return [unreadable("time and name servers", answer)]
    answer = answer or {"time": {}, "names": {}}
    lines = _time(cloud, node, state, answer["time"])
    asked = _question(cloud, node, state) or "the root"
    lines += _own(state, {name: answer["names"][name] for name in state.resolvers}, asked)
    handed = map(str, cloud.settings.dns_servers) if cloud.does("network", node) else ()
    for server in handed:
        found = answer["names"][server]
        # They may reach it through the provider network, where this host has no address.
        cure = "instances will ask it: name one in dns_servers that answers, or try it from an instance"
        lines.append(_name_line("dns_servers", server, found, asked, WARNING, cure))
    return lines


def _unanswered(state: State, answers: Mapping[str, Mapping[str, Any]]) -> str:
    """The verdict of a silent server: others will do, and a cloud that is there does not wait for it."""
    some = any("error" not in found for found in answers.values())
    return WARNING if some or state.installed else REFUSED


def _time(cloud: Cloud, node: Node, state: State, answers: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    if not answers:
        if not cloud.is_first("controller", node):
            return []
        found = "none is declared: this host's own clock is the cloud's time"
        cure = "name some in ntp_servers, for the world's time"
        return [Line("ntp_servers", "one that answers", found, WARNING, cure)]
    lines, limit = [], cloud.settings.clock_offset_limit
    for server, found in answers.items():
        if "error" in found:
            cure = "name one in ntp_servers whose name this host can look up and that answers it at 123/udp"
            reason = f"{server}: {found['error']}"
            lines.append(Line("ntp_servers", server, reason, _unanswered(state, answers), cure))
            continue
        at = "" if found["address"] == server else f"{found['address']}, "
        text = f"{at}{_milliseconds(found)}, offset {found['offset']:+.3f} s, stratum {found['stratum']}"
        line = Line("ntp_servers", server, text)
        if abs(found["offset"]) - found["seconds"] / 2 > limit:
            verdict, cure = SET, "chrony steps the host's clock when the deploy starts it"
            if state.installed:
                verdict, cure = WARNING, "look at chronyc tracking: chrony only slews a clock while it runs"
            line = Line("ntp_servers", f"{server}, within {limit} s", text, verdict, cure)
        lines.append(line)
    return lines


def _own(state: State, answers: Mapping[str, Mapping[str, Any]], asked: str) -> list[Line]:
    """The host's resolvers: one that is silent costs each look-up seconds."""
    if not answers:
        cure = "enough where /etc/hosts knows every name and package sources are addresses or go by a proxy"
        return [Line("resolv.conf", "one that answers", "no name server", WARNING, cure)]
    cure = "correct /etc/resolv.conf; without a name server in it, if /etc/hosts is enough here"
    verdict = _unanswered(state, answers)
    return [
        _name_line("resolv.conf", server, found, asked, verdict, cure) for server, found in answers.items()
    ]


def _name_line(
    check: str, server: str, found: Mapping[str, Any], asked: str, verdict: str, cure: str
) -> Line:
    if "error" in found:
        return Line(check, server, f"{server}: {found['error']}", verdict, cure)
    tcp = ", over TCP" if found["tcp"] else ""
    return Line(check, server, f"{_milliseconds(found)}, {found['code']} for {asked}{tcp}")


def _milliseconds(found: Mapping[str, Any]) -> str:
    return f"{found['seconds'] * 1000:.1f} ms"
