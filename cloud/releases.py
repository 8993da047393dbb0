"""OpenStack releases, ordered by age, and which of them a platform can install."""

from __future__ import annotations

from functools import total_ordering

# Oldest first. Only the order matters here; the letters ran out with Zed, the names go on from Antelope.
BY_AGE = (
    "liberty", "mitaka", "newton", "ocata", "pike", "queens", "rocky", "stein", "train", "ussuri", "victoria",
    "wallaby", "xena", "yoga", "zed", "antelope", "bobcat", "caracal", "dalmatian", "epoxy", "flamingo",
)  # fmt: skip

# Platform -> release -> the major version of the operating system that packages it. Debian's were deployed
# and verified on real hosts. EL 7's are the original install notes' own, which only archives still have.
# EL 9's are what RDO released for CentOS Stream 9: the tags cloud9s-openstack-NAME-release of
# github.com/redhat-openstack/rdoinfo, which in July 2026 had none for Flamingo or CentOS Stream 10.
AVAILABLE: dict[str, dict[str, str]] = {
    "debian": {"zed": "12", "epoxy": "13"},
    "el": {
        **dict.fromkeys(("liberty", "ocata", "train"), "7"),
        **dict.fromkeys(("zed", "antelope", "bobcat", "caracal", "dalmatian", "epoxy"), "9"),
    },
}

# What not every release has -> the first and the last one that has it; "" is before or after all we know.
# Sources: the installation guides and release notes of the projects named.
SPANS: dict[str, tuple[str, str]] = {
    # keystone: the first administrator is made with a token from the file; `bootstrap` came with Mitaka.
    "admin_token": ("", "liberty"),
    "bootstrap": ("mitaka", ""),
    # keystone: the package has the virtual hosts for httpd.
    "keystone_wsgi_shipped": ("mitaka", ""),
    # keystone: random tokens kept in memcached, before Fernet ones became the guide's.
    "uuid_tokens": ("", "liberty"),
    # keystone: what it looks up in its database is kept in memcached.
    "keystone_cache": ("train", ""),
    # keystone: an API of its own for administrators on port 35357, until one port served both.
    "admin_port": ("", "pike"),
    "identity_v2": ("", "liberty"),
    # keystone: bootstrap makes the roles "member" and "reader"; the guides made one called "user" before.
    "member_role": ("rocky", ""),
    # keystonemiddleware: tokens in memcached; encrypted, and services known by the role "service".
    "token_cache": ("mitaka", ""),
    "service_tokens": ("ussuri", ""),
    # oslo.messaging: one URL instead of rabbit_host, rabbit_userid and so on.
    "transport_url": ("newton", ""),
    # The guides' way to write URLs: with port, final slash and character set.
    "full_urls": ("train", ""),
    # MariaDB and RabbitMQ as clusters: with quorum queues, and MariaDB's own backup to bring in a member.
    "clusters": ("zed", ""),
    # oslo.messaging: quorum queues for answers and broadcasts, too.
    "transient_quorum_queues": ("caracal", ""),
    "pymysql": ("mitaka", ""),
    "mysql_python": ("", "liberty"),
    # MariaDB before 10.6 calls utf8mb3 "utf8"; the oldest client did not ask for it by itself.
    "utf8mb3": ("ussuri", ""),
    "utf8_names": ("", "liberty"),
    # The default domain by its ID ("default"), or by that as a name: MariaDB compares without case.
    "domain_in_lower_case": ("", "pike"),
    # Django 3.2's back end for memcached.
    "pymemcache": ("yoga", ""),
    "glance_registry": ("", "rocky"),
    # glance: several stores, each with a section of its own.
    "glance_stores": ("train", ""),
    "nova_cert": ("", "newton"),
    "nova_consoleauth": ("", "stein"),
    "nova_api_database": ("mitaka", ""),
    "nova_cells": ("ocata", ""),
    "placement": ("ocata", ""),
    # placement as a service and package of its own, out of nova's.
    "placement_in_nova": ("ocata", "rocky"),
    "placement_service": ("stein", ""),
    # nova: vncserver_listen and its companions in [DEFAULT], before they had a section.
    "vnc_section": ("mitaka", ""),
    # nova: other services are found in the catalog, not by an option with their URL.
    "nova_adapters": ("queens", ""),
    # nova: its own networks, which it must be told not to use.
    "nova_network": ("", "stein"),
    "nova_use_neutron": ("mitaka", "stein"),
    "nova_compute_v2": ("", "mitaka"),
    # nova: [api] auth_strategy, [DEFAULT]'s before and keystone's without a word after.
    "nova_api_section": ("ocata", "train"),
    "spice_on_debian": ("zed", ""),
    "volume_v1": ("", "mitaka"),
    "volume_v2": ("", "wallaby"),
    "volume_v3": ("ocata", ""),
    # neutron: drivers by a short name, not by their class.
    "driver_names": ("ocata", ""),
    "firewall_names": ("queens", ""),
    # neutron: the metadata agent asks the API, and must log in.
    "metadata_login": ("", "liberty"),
    "prevent_arp_spoofing": ("", "liberty"),
    "linuxbridge": ("", "dalmatian"),
    "linuxbridge_experimental": ("zed", "dalmatian"),
    # The ebtables that Debian packages beside the release can't delete every rule by its words.
    "ebtables_by_number": ("zed", "zed"),
    "lbaas": ("", "stein"),
    # oslo.middleware's /healthcheck in the services' own pipelines: read from Zed's packages. Older releases
    # have it here and there; they are asked for their versions.
    "healthcheck": ("zed", ""),
    # haproxy 2.2 or later, by the systems that the release has: `http-check send`, `redispatch 1`, a reload
    # that hands on the sockets.
    "haproxy_2": ("zed", ""),
    # The command `SERVICE-status upgrade check`.
    "nova_status": ("ocata", ""),
    "status_commands": ("stein", ""),
    # The tables are kept by alembic, and by sqlalchemy-migrate before.
    "keystone_alembic": ("yoga", ""),
    "glance_alembic": ("ocata", ""),
    "nova_alembic": ("xena", ""),
    "cinder_alembic": ("xena", ""),
    # keystone: beside the tables' one line of versions, one each to expand, fill and contract them.
    "keystone_rolling_upgrade": ("newton", "xena"),
    # glance: two ways to the same tables, by "db sync" and by "db expand" with "db contract".
    "glance_two_ways": ("ocata", "ocata"),
}

# What every release has.
ANY = ""

# Processes that not every release has, as ``SERVICE/PROCESS``.
PROCESSES = {
    "glance/registry": "glance_registry",
    "nova/cert": "nova_cert",
    "nova/consoleauth": "nova_consoleauth",
}

# Options by the name that today's templates use -> older ones, each with the last release that used it.
OLDER_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "auth_type": (("liberty", "auth_plugin"),),
    "www_authenticate_uri": (("pike", "auth_uri"),),
    "user_domain_name": (("liberty", "user_domain_id"),),
    "project_domain_name": (("liberty", "project_domain_id"),),
    "server_listen": (("pike", "vncserver_listen"),),
    "server_proxyclient_address": (("pike", "vncserver_proxyclient_address"),),
    "nova_metadata_host": (("pike", "nova_metadata_ip"),),
    "target_protocol": (("queens", "iscsi_protocol"),),
    "target_helper": (("queens", "iscsi_helper"),),
}


@total_ordering
class Release:
    """A release by name, comparable by age, also with a plain name: ``release >= "ocata"``.

    Args:
        name: a name from :data:`BY_AGE`, in lower case.

    Raises:
        ValueError: the name is not a release we know; the message lists those we do.
    """

    def __init__(self, name: str):
        if name not in BY_AGE:
            raise ValueError(f"unknown release {name!r}; known, oldest first: {', '.join(BY_AGE)}")
        self.name = name

    def has(self, what: str) -> bool:
        """Whether the release has something of :data:`SPANS`, or :data:`ANY`."""
        first, last = SPANS[what] if what else ("", "")
        return (not first or self >= first) and (not last or self <= last)

    def option(self, name: str) -> str:
        """The name of an option in this release, by the one it has today (:data:`OLDER_NAMES`)."""
        for last, older in OLDER_NAMES.get(name, ()):
            if self <= last:
                return older
        return name

    def _age(self, other: object) -> int:
        return BY_AGE.index(Release(str(other)).name)

    def __eq__(self, other: object) -> bool:
        return str(other) == self.name

    def __lt__(self, other: object) -> bool:
        return BY_AGE.index(self.name) < self._age(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Release({self.name!r})"


def agent_refusal(release: str, l2_agent: str) -> str | None:
    """Why ``release`` can't have an L2 agent, and what to do about it; None when it can, or is unknown."""
    if l2_agent != "linuxbridge" or release not in BY_AGE or Release(release).has("linuxbridge"):
        return None
    return (
        f"l2_agent 'linuxbridge' is not in release {release}: neutron dropped it with epoxy "
        "(2025.1); take l2_agent = 'openvswitch', or an older release"
    )


def refusal(release: str, platform: str) -> str | None:
    """Why ``release`` can't be deployed on ``platform``, in the operator's words; None when it can."""
    if release not in BY_AGE:
        return f"unknown release {release!r}; known, oldest first: {', '.join(BY_AGE)}"
    if platform not in AVAILABLE:
        return f"unknown platform {platform!r}; known: {', '.join(sorted(AVAILABLE))}"
    if release not in AVAILABLE[platform]:
        offered = ", ".join(f"{name} (on {platform} {v})" for name, v in AVAILABLE[platform].items())
        return f"platform {platform!r} does not have release {release!r}; it has: {offered}"
    return None
