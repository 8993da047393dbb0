"""Inventories for the tests, in the shape of pyinfra's."""

from __future__ import annotations

from cloud import inputs, secrets
from cloud.frontends import CHECK_USER, binds, frontends_of, state_path
from cloud.galera_check import conversation
from cloud.model import MANAGEMENT_PORT, STATISTICS_PORT
from cloud.releases import BY_AGE, Release
from cloud.templates import render


class Data:
    def __init__(self, values):
        self.values = values

    def dict(self):
        return dict(self.values)

    def get(self, name, default=None):
        return self.values.get(name, default)


class Host:
    def __init__(self, name, groups, data):
        self.name, self.groups, self.data = name, groups, Data(data)


class Inventory(list):
    """Hosts, and the names of all groups."""

    def __init__(self, hosts, groups=()):
        super().__init__(hosts)
        self.groups = {"all", "inventory", *groups, *(group for host in hosts for group in host.groups)}


ALL = {"release": "epoxy", "management_network": "192.168.56.0/24"}
HOSTS = {
    "controller": (["controller"], {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1"}),
    "compute": (["compute"], {"ssh_hostname": "192.168.56.12", "provider_interface": "eth1"}),
    "storage": (["storage"], {"ssh_hostname": "192.168.56.13", "volume_devices": ["/dev/sdb"]}),
}

# With a virtual_address.
BALANCERS = {
    "lb1": (["loadbalancer"], {"ssh_hostname": "192.168.56.61", "interface": "eth0"}),
    "lb2": (["loadbalancer"], {"ssh_hostname": "192.168.56.62", "interface": "eth0"}),
}

# As the original install notes have it: Linux bridges, one provider network, no storage host.
OLDER = {"release": "zed", "l2_agent": "linuxbridge", "self_service_networks": False}
OLDER_HOSTS = {
    "controller": (
        ["controller"],
        {"ssh_hostname": "192.168.56.11", "interface": "eth0", "provider_interface": "eth0"},
    ),
    "compute": (
        ["compute"],
        {"ssh_hostname": "192.168.56.12", "interface": "eth0", "provider_interface": "eth0"},
    ),
}


# Three members of MariaDB's and RabbitMQ's clusters, behind two load balancers.
MEMBERS = ("db1", "db2", "db3")
CLUSTER_HOSTS = {
    **HOSTS,
    **{
        name: (["database"], {"ssh_hostname": f"192.168.56.{20 + number}"})
        for number, name in enumerate(MEMBERS, 1)
    },
    "lb1": (["loadbalancer"], {"ssh_hostname": "192.168.56.31", "interface": "eth0"}),
    "lb2": (["loadbalancer"], {"ssh_hostname": "192.168.56.32", "interface": "eth0"}),
}
VIRTUAL = {"virtual_address": "192.168.56.30"}


def inventory(hosts=None, groups=(), **settings):
    """The default inventory; ``settings`` are the whole cloud's, a value of ``...`` removes one."""
    common = {**ALL, **settings}
    common = {name: value for name, value in common.items() if value is not ...}
    hosts = HOSTS if hosts is None else hosts
    return Inventory([Host(name, list(g), {**common, **data}) for name, (g, data) in hosts.items()], groups)


def write_secrets(folder, release=None, parts=()):
    """A good secrets.toml in a folder; returns the path of the inventory it belongs to.

    ``release``: for which it must do; None: any of today's. ``parts``: what it has more than one of.
    """
    path = folder / secrets.FILE_NAME
    path.write_text(secrets.generate({}, release and Release(release), parts))
    path.chmod(0o600)
    return folder / "inventory.py"


def cloud(folder, *arguments, **keywords):
    """The model of an inventory."""
    release = keywords.get("release")
    known = release if release in BY_AGE else None
    described = inventory(*arguments, **keywords)
    return inputs.read(described, write_secrets(folder, known, secrets.parts_of(described)))


def haproxy_data(cloud, host):
    """What tasks/loadbalancer.py gives haproxy's template beside the model."""
    node = cloud.node(host)
    return {
        "frontends": frontends_of(cloud, node),
        "binds": binds,
        "state_path": state_path,
        "certificates": [f"/etc/haproxy/certs/{name}.pem" for name in cloud.shown(host)],
        "check_user": CHECK_USER,
        "galera_check": list(conversation(CHECK_USER)),
        "management_port": MANAGEMENT_PORT,
        "statistics_port": STATISTICS_PORT,
    }


def haproxy_text(cloud, host):
    """haproxy's file on a host."""
    data = {"cloud": cloud, "node": cloud.node(host), **haproxy_data(cloud, host)}
    return render("templates/haproxy/haproxy.cfg.j2", **data)


def haproxy(cloud, host):
    """The same as frontend -> its lines."""
    blocks = haproxy_text(cloud, host).split("\nlisten ")[1:]
    return {block.split("\n")[0]: [line.strip() for line in block.splitlines()[1:]] for block in blocks}
