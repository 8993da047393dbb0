"""From an answer file's services to ours: what they are told, and what there is not."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from cloud import releases
from cloud.answers_choices import Translation, listed
from cloud.answers_file import Refusal, holds_login
from cloud.packstack_options import GROUPS, NOT_SUPPORTED, full, is_off

NOVA = "/etc/nova/nova.conf"
DEBUGGED = (
    "/etc/keystone/keystone.conf",
    "/etc/glance/glance-api.conf",
    NOVA,
    "/etc/neutron/neutron.conf",
)
CINDER = "/etc/cinder/cinder.conf"
# What packstack leaves to Puppet's facts begins with this.
FACT = "%{"
# A key that SSH finds by itself.
USUAL_KEY = re.compile(r".*/\.ssh/id_(rsa|dsa|ecdsa|ed25519)\.pub")


def add_release(result: Translation) -> None:
    """What is deployed, and how the hosts are logged in to."""
    choices, settings = result.choices, result.settings
    if wrong := releases.refusal(choices.release, choices.platform):
        result.problems.append(f"--release {choices.release} --platform {choices.platform}: {wrong}")
    if choices.platform != "debian":
        settings["platform"] = choices.platform
    settings["release"] = choices.release
    if region := result.answers.value("CONFIG_KEYSTONE_REGION"):
        settings |= {"region": region} if region != "RegionOne" else {}
    # packstack knows no other user.
    settings["ssh_user"] = "root"
    key = result.answers.value("CONFIG_SSH_KEY")
    if key and not USUAL_KEY.fullmatch(key):
        settings["ssh_key"] = key.removesuffix(".pub")


def add_services(result: Translation) -> None:
    """What the services are told."""
    answers, settings = result.answers, result.settings
    if servers := answers.list("CONFIG_NTP_SERVERS"):
        settings["ntp_servers"] = servers
    workers = answers.value("CONFIG_SERVICE_WORKERS")
    if workers.isascii() and workers.isdigit():
        settings["workers"] = int(workers)
    elif workers and not workers.startswith(FACT):
        result.problems.append(f"{answers.found('CONFIG_SERVICE_WORKERS')}: is no number")
    if answers.on("CONFIG_DEBUG_MODE"):
        for path in (*DEBUGGED, *([CINDER] if result.doing("storage") else [])):
            result.override(path, "DEFAULT", debug="true")
    for kind in ("cpu", "ram"):
        option = f"CONFIG_NOVA_SCHED_{kind.upper()}_ALLOC_RATIO"
        if ratio := answers.value(option):
            if not re.fullmatch(r"\d+(\.\d+)?", ratio):
                result.problems.append(f"{answers.found(option)}: is no number")
            result.override(NOVA, "DEFAULT", **{f"{kind}_allocation_ratio": ratio})
    virtual = answers.value("CONFIG_NOVA_LIBVIRT_VIRT_TYPE")
    if virtual in ("kvm", "qemu"):
        result.compute_settings["virt_type"] = virtual
    elif virtual and not virtual.startswith(FACT):
        result.problems.append(
            f"{answers.found('CONFIG_NOVA_LIBVIRT_VIRT_TYPE')}: write kvm or qemu, or leave it empty"
        )
    _repositories(result)


def _repositories(result: Translation) -> None:
    answers = result.answers
    places = answers.list("CONFIG_REPO")
    if places and result.choices.platform != "el":
        result.differs.append("CONFIG_REPO: its packages are yum's, and Debian's hosts take none of them")
        return
    found: dict[str, dict[str, Any]] = {}
    for number, place in enumerate(places, 1):
        if holds_login(place):
            result.differs.append(
                f"CONFIG_REPO: address {number} holds a login, and is not written: put it into "
                "yum_repositories yourself"
            )
            continue
        # packstack checks no signatures there, either.
        found[f"packstack-{number}"] = {"baseurl": place, "gpgcheck": False}
    if found:
        result.settings["yum_repositories"] = found


def add_tls(result: Translation) -> None:
    """TLS, where Horizon has it."""
    answers, settings = result.answers, result.settings
    if not answers.on("CONFIG_HORIZON_SSL"):
        return
    settings["tls"] = "all"
    result.differs.append(
        "TLS is on every API, and not on Horizon and the consoles alone: "
        f"{answers.found('CONFIG_HORIZON_SSL')}"
    )
    files = {
        setting: answers.value(f"CONFIG_HORIZON_SSL_{part}")
        for setting, part in (("tls_certificate", "CERT"), ("tls_key", "KEY"), ("tls_ca", "CACERT"))
    }
    if files["tls_certificate"] or files["tls_key"]:
        settings |= {setting: place for setting, place in files.items() if place}
        relative = [place for place in files.values() if place and not PurePosixPath(place).is_absolute()]
        for place in relative:
            result.problems.append(f"{place}: write the certificates' files as absolute paths")
        result.chosen.append(
            "tls_certificate must be for the name in the endpoints: the controller's address, or else "
            "internal_address, which you add"
        )
    else:
        result.chosen.append("the certificates are those of python -m cloud.pki INVENTORY: run it first")


def add_refusals(result: Translation) -> None:
    """What would be another cloud."""
    answers = result.answers
    for option, what in (
        ("CONFIG_NOVA_INSTALL", "a cloud without instances"),
        ("CONFIG_NEUTRON_INSTALL", "nova's own networks, or none"),
        ("CONFIG_MARIADB_INSTALL", "a database server that is there already"),
    ):
        if answers.has(option) and not answers.on(option):
            result.problems.append(
                f"{answers.found(option)}: {what} can't be translated. If the cloud may have its own, write "
                "y in a copy of the answer file"
            )
    if answers.on("CONFIG_VMWARE_BACKEND"):
        result.problems.append(
            f"{answers.found('CONFIG_VMWARE_BACKEND')}: instances run under libvirt only, on hosts that are "
            "named. If that will do, write n in a copy of the answer file"
        )
    if answers.value("CONFIG_KEYSTONE_IDENTITY_BACKEND") not in ("", "sql"):
        result.problems.append(
            f"{answers.found('CONFIG_KEYSTONE_IDENTITY_BACKEND')}: users are in keystone's own database, and "
            "LDAP's could not log in. If new users will do, write sql in a copy of the answer file"
        )


def add_differences(result: Translation) -> None:
    """What is there, but otherwise; and what is not there at all."""
    answers = result.answers
    for service in ("GLANCE", "HORIZON", "CLIENT"):
        option = full(f"{service}_INSTALL")
        if answers.has(option) and not answers.on(option):
            result.differs.append(f"{service.lower()} is there: {answers.found(option)}")
    if answers.value("CONFIG_GLANCE_BACKEND") not in ("", "file"):
        result.differs.append(
            f"images are files on the controller: {answers.found('CONFIG_GLANCE_BACKEND')}; upload them anew"
        )
    if answers.value("CONFIG_KEYSTONE_ADMIN_USERNAME") not in ("", "admin"):
        result.differs.append(
            f"the administrator is called admin: {answers.found('CONFIG_KEYSTONE_ADMIN_USERNAME')}; declare "
            "another one in resources"
        )
    if answers.value("CONFIG_AMQP_BACKEND") not in ("", "rabbitmq"):
        result.differs.append(f"the message queue is RabbitMQ: {answers.found('CONFIG_AMQP_BACKEND')}")
    for group in GROUPS:
        if group.fate != NOT_SUPPORTED or not group.lacks:
            continue
        on = [name for name in group.turned_on_by if not is_off(answers.value(name))]
        # One compute host has nobody to send instances to.
        alone = on == ["CONFIG_NOVA_COMPUTE_MIGRATE_PROTOCOL"] and len(result.doing("compute")) < 2
        if on and not alone:
            result.lacks.append(f"{group.lacks}: {listed(map(answers.found, on))}; {group.reason}")


def check_required(result: Translation) -> None:
    """Without these there is nothing to translate; what packstack would take depends on its version.

    Raises:
        Refusal: with the missing ones.
    """
    names = (
        "CONFIG_CONTROLLER_HOST", "CONFIG_COMPUTE_HOSTS", "CONFIG_NETWORK_HOSTS", "CONFIG_NOVA_INSTALL",
        "CONFIG_NEUTRON_INSTALL", "CONFIG_CINDER_INSTALL", "CONFIG_NEUTRON_L2_AGENT",
        "CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES",
    )  # fmt: skip
    missing = [name for name in names if not result.answers.has(name)]
    if missing:
        raise Refusal(
            f"{name} is not in the file, and packstack's default depends on its version: add it"
            for name in missing
        )
