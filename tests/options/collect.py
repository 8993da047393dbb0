"""Prints every option that the installed release knows: FILE SECTION OPTION, and "deprecated" where it is.

Runs where the packages of all services are. On a controller of the first lab:
``python -m lab ssh controller python3 - <tests/options/collect.py >tests/options/epoxy.txt``
The second lab's has no cinder. Its list is of the same packages, unpacked into a folder, with /proc mounted:
``chroot FOLDER python3 - <tests/options/collect.py >tests/options/zed.txt``
"""

import os
import sys

from keystoneauth1 import loading
from oslo_config import generator

# File -> namespaces, as each project's own generator configuration has them (etc/*config-generator*).
COMMON = ["oslo.log", "oslo.messaging", "oslo.policy", "oslo.middleware.cors"]
COMMON += ["oslo.middleware.http_proxy_to_wsgi", "oslo.db", "oslo.concurrency", "oslo.cache", "oslo.privsep"]
COMMON += [
    "oslo.service.service",
    "oslo.service.periodic_task",
    "keystonemiddleware.auth_token",
    "oslo.reports",
]
COMMON += ["oslo.service.wsgi", "osprofiler", "oslo.middleware.healthcheck"]
FILES = {
    "keystone.conf": ["keystone", *COMMON],
    "glance-api.conf": ["glance", "glance.api", "glance.store", "glance.multi_store", *COMMON],
    "placement.conf": ["placement.conf", *COMMON],
    "nova.conf": ["nova.conf", "os_vif", "oslo.limit", *COMMON],
    "nova-compute.conf": ["nova.conf"],
    "neutron.conf": [
        *("neutron", "neutron.agent", "neutron.db", "neutron.extensions", "neutron.experimental"),
        *("nova.auth", "placement.auth", *COMMON),
    ],
    "ml2_conf.ini": ["neutron.ml2", "oslo.log"],
    "openvswitch_agent.ini": ["neutron.ml2.ovs.agent", "oslo.log"],
    "linuxbridge_agent.ini": ["neutron.ml2.linuxbridge.agent", "oslo.log"],
    "dhcp_agent.ini": ["neutron.base.agent", "neutron.dhcp.agent", "oslo.log"],
    "l3_agent.ini": ["neutron.base.agent", "neutron.l3.agent", "oslo.log"],
    "metadata_agent.ini": ["neutron.base.agent", "neutron.metadata.agent", "oslo.cache", "oslo.log"],
    "cinder.conf": ["cinder", *COMMON],
}


def known(namespaces):
    """(section, option) -> whether it is deprecated."""
    found = {}
    old = set()
    for _, groups in generator._list_opts(namespaces):
        for group, options in groups:
            section = getattr(group, "name", group) or "DEFAULT"
            for option in options:
                found[section, option.dest] = bool(option.deprecated_for_removal)
                # Options with a dash in their name are written with it.
                found[section, option.name] = bool(option.deprecated_for_removal)
                for alias in option.deprecated_opts:
                    old.add((alias.group or section, alias.name or option.name))
    for section in {section for section, option in found if option in ("auth_type", "auth_url")}:
        # keystoneauth's own: they come with the type of authentication, and a list has them by half.
        for option in loading.get_plugin_loader("password").get_options():
            found.setdefault((section, option.dest.replace("-", "_")), False)
        for option in [*loading.get_session_conf_options(), *loading.get_auth_common_conf_options()]:
            found.setdefault((section, option.dest), False)
    for key in old:
        found.setdefault(key, True)
    return found


def collect(name, namespaces):
    options = {}
    for namespace in namespaces:
        try:
            found = known([namespace])
        except Exception as error:
            # A release without this namespace has nothing to say; everything else is a mistake of ours.
            print(f"{name}: {namespace}: {error}", file=sys.stderr)
            continue
        for key, deprecated in found.items():
            options[key] = options.get(key, True) and deprecated
    for (section, option), deprecated in sorted(options.items()):
        print(name, section, option, *(["deprecated"] if deprecated else []))


for file, spaces in FILES.items():
    # A process for each: projects register the same options, and can't be imported together.
    if not os.fork():
        collect(file, spaces)
        sys.stdout.flush()
        os._exit(0)
    os.wait()
