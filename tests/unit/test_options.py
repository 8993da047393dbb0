"""Every option we write is one that the release knows, and does not call deprecated.

``tests/options/RELEASE.txt`` is that release's own list: oslo.config's generator, asked where the packages
are (``tests/options/collect.py``).
"""

import copy
from pathlib import Path, PurePosixPath

import clouds
import pytest

from cloud import render
from cloud.ini import read_wanted

LISTS = Path(__file__).parents[1] / "options"
# Sections that an operator names, and the section of the list that tells what may stand in them.
NAMED = {
    ("cinder.conf", "lvm"): "backend_defaults",
    ("glance-api.conf", "os_glance_staging_store"): "file",
    ("glance-api.conf", "os_glance_tasks_store"): "file",
}
NETDEV = {"tunnel_interface": "eth2", "tunnel_address": "10.0.0.12"}


def known(release):
    """(file, section, option) -> whether it is deprecated."""
    lines = [line.split() for line in (LISTS / f"{release}.txt").read_text().splitlines()]
    return {(file, section, option): bool(rest) for file, section, option, *rest in lines}


def complaints(files, options):
    """What the release does not know, or calls deprecated, in rendered files: a line each."""
    listed = {file for file, _, _ in options}
    found = []
    for host, contents in files.items():
        for path, text in contents.items():
            file = PurePosixPath(path).name
            if file not in listed:
                continue
            for section, wanted in read_wanted(text).items():
                for option in wanted:
                    deprecated = options.get((file, NAMED.get((file, section), section), option))
                    if deprecated is None:
                        found.append(f"{host}: {path}: [{section}] {option} is unknown")
                    elif deprecated:
                        found.append(f"{host}: {path}: [{section}] {option} is deprecated")
    return found


LINUXBRIDGE = {"l2_agent": "linuxbridge"}
PROVIDER_ONLY = {"self_service_networks": False}
# (release, settings, the list's files that such a cloud has no use for)
CLOUDS = {
    "epoxy": ("epoxy", {}, {"linuxbridge_agent.ini"}),
    "epoxy, user space": ("epoxy", {"openvswitch_datapath": "netdev"}, {"linuxbridge_agent.ini"}),
    "epoxy, provider only": ("epoxy", PROVIDER_ONLY, {"linuxbridge_agent.ini", "l3_agent.ini"}),
    "zed": ("zed", {}, {"linuxbridge_agent.ini"}),
    "zed, user space": ("zed", {"openvswitch_datapath": "netdev"}, {"linuxbridge_agent.ini"}),
    "zed, Linux bridges": ("zed", LINUXBRIDGE, {"openvswitch_agent.ini"}),
    "zed, Linux bridges, provider only": (
        "zed",
        LINUXBRIDGE | PROVIDER_ONLY,
        {"openvswitch_agent.ini", "l3_agent.ini"},
    ),
}


def rendered(tmp_path, release, choice):
    """The files of a cloud: host -> path -> text."""
    settings = {"dns_servers": ["9.9.9.9"], "release": release, **choice}
    hosts = copy.deepcopy(clouds.HOSTS)
    if "openvswitch_datapath" in choice:
        hosts = {
            name: (groups, {**data, **(NETDEV if name != "storage" else {})})
            for name, (groups, data) in hosts.items()
        }
        hosts["controller"][1]["tunnel_address"] = "10.0.0.11"
    cloud = clouds.cloud(tmp_path, hosts, **settings)
    rendered = render.render(clouds.inventory(hosts, **settings), cloud)
    return {host: recorder.files for host, recorder in rendered.items()}


@pytest.mark.parametrize("name", CLOUDS)
def test_every_option_is_known_and_current(tmp_path, name):
    release, choice, unused = CLOUDS[name]
    files, options = rendered(tmp_path, release, choice), known(release)
    assert complaints(files, options) == []
    # Each of the list's files that such a cloud has was looked at.
    seen = {PurePosixPath(path).name for contents in files.values() for path in contents}
    assert {file for file, _, _ in options} - seen == unused


@pytest.mark.parametrize("name", CLOUDS)
def test_a_renamed_and_a_deprecated_option_are_found(tmp_path, name):
    release, choice, _ = CLOUDS[name]
    files = rendered(tmp_path, release, choice)
    path = "/etc/nova/nova.conf"
    text = files["compute"][path]
    assert "\nserver_listen = " in text
    files["compute"][path] = text.replace("\nserver_listen = ", "\nserver_listens = ")
    files["compute"][path] += "[glance]\napi_servers = http://192.168.56.11:9292\n"
    assert complaints(files, known(release)) == [
        "compute: /etc/nova/nova.conf: [vnc] server_listens is unknown",
        "compute: /etc/nova/nova.conf: [glance] api_servers is deprecated",
    ]
