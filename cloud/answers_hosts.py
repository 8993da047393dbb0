"""From an answer file's hosts to the inventory's: groups, names, addresses, disks."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, ip_address

from cloud.answers_choices import EVERY, Machine, Translation, listed

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
# A management network that nobody named is no smaller and no larger than this.
SMALLEST, LARGEST = 24, 16


def add_hosts(result: Translation) -> None:
    """Fill in the groups and the hosts in them.

    Source: which host packstack takes for what, in its plugins prescript, mariadb and amqp.
    """
    answers = result.answers
    controller = _one(result, "CONFIG_CONTROLLER_HOST")
    compute = answers.list("CONFIG_COMPUTE_HOSTS")
    network = answers.list("CONFIG_NETWORK_HOSTS")
    if not compute:
        result.problems.append(f"{answers.found('CONFIG_COMPUTE_HOSTS')}: names no compute host")
    result.groups["controller"] = [controller] if controller else []
    if network not in ([], [controller]):
        result.groups["network"] = network
    result.groups["compute"] = compute
    if answers.on("CONFIG_CINDER_INSTALL"):
        storage = _storage(result, controller)
        result.groups["storage"] = [storage] if storage else []
    if database := _database(result, controller):
        result.groups["database"] = [database]
    _name(result)
    _check_per_host(result)
    _excluded(result)


def _one(result: Translation, option: str) -> str:
    """The only host that an option names."""
    found = result.answers.list(option)
    if len(found) != 1:
        result.problems.append(f"{result.answers.found(option)}: must name one host, and names {len(found)}")
    return found[0] if found else ""


def _storage(result: Translation, controller: str) -> str:
    answers = result.answers
    if answers.on("CONFIG_UNSUPPORTED"):
        return _one(result, "CONFIG_STORAGE_HOST")
    if answers.value("CONFIG_STORAGE_HOST") not in ("", controller):
        result.differs.append(
            f"{answers.found('CONFIG_STORAGE_HOST')} has no effect in packstack without "
            f"CONFIG_UNSUPPORTED=y: volumes are on the controller"
        )
    return controller


def _database(result: Translation, controller: str) -> str:
    """The host of the group database; "": the controller has it all."""
    answers = result.answers
    database = answers.value("CONFIG_MARIADB_HOST") or controller
    queue = answers.value("CONFIG_AMQP_HOST") or controller
    if queue != database:
        result.differs.append(
            f"RabbitMQ is where MariaDB is, on {database}: {answers.found('CONFIG_AMQP_HOST')}"
        )
    return "" if database == controller else database


def _name(result: Translation) -> None:
    """Give every host its name and its address."""
    roles: dict[str, str] = {}
    for role in ("controller", "network", "compute", "storage", "database"):
        for key in result.groups.get(role, []):
            roles.setdefault(key, role)
    for key, role in roles.items():
        alike = [other for other, its in roles.items() if its == role]
        number = alike.index(key) + 1 if len(alike) > 1 else ""
        plain = _is_address(key) or not NAME.fullmatch(key)
        name = result.choices.names.get(key) or (f"{role}{number}" if plain else key)
        if not NAME.fullmatch(name):
            result.problems.append(f"{name!r} can't be a host's name: name it by --name {key}=NAME")
        address = _address(result, key)
        data = {"address": address} if name == key else {"ssh_hostname": key}
        if name != key != address:
            data["address"] = address
        result.machines[key] = Machine(key, name, address, data)
    names = [machine.name for machine in result.machines.values()]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        keys = listed(key for key, machine in result.machines.items() if machine.name == name)
        result.problems.append(f"{keys} would all be called {name}: name them by --name HOST=NAME")


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _address(result: Translation, key: str) -> str:
    """A host's IPv4 address; "" with a problem where there is none."""
    given = result.choices.addresses.get(key, key)
    try:
        address = ip_address(given.strip("[]"))
    except ValueError:
        result.problems.append(f"{key} is no address: give it by --address {key}=ADDRESS")
        return ""
    if not isinstance(address, IPv4Address):
        result.problems.append(
            f"{given}: the management network has IPv4 here: give the host's address by --address "
            f"{key}=ADDRESS"
        )
        return ""
    if address.is_loopback:
        result.problems.append(
            f"{given} is every host itself: give the address that the others know by --address {key}=ADDRESS"
        )
        return ""
    return str(address)


def _check_per_host(result: Translation) -> None:
    """The command line names no host that there is not."""
    choices = result.choices
    known = {EVERY, *result.machines, *(machine.name for machine in result.machines.values())}
    for option, hosts in (
        ("--name", choices.names),
        ("--address", choices.addresses),
        ("--interface", choices.interfaces),
        ("--provider-interface", choices.provider_interfaces),
        ("--tunnel-address", choices.tunnel_addresses),
    ):
        for host in hosts:
            if host not in known:
                there = listed(result.machines)
                result.problems.append(f"{option}: the answer file has no host {host!r}; it has {there}")


def _excluded(result: Translation) -> None:
    for key in result.answers.list("EXCLUDE_SERVERS"):
        if key in result.machines:
            name = result.machines[key].name
            result.differs.append(
                f"{name} is in EXCLUDE_SERVERS, and in the inventory, for the others must know of it: a "
                "deploy changes it, too. To spare it, name the others: --limit HOST"
            )


def add_management_network(result: Translation) -> None:
    """The network of the addresses: named, or the smallest that holds them, within reason."""
    addresses = [IPv4Address(machine.address) for machine in result.machines.values() if machine.address]
    if not addresses:
        return
    network = result.choices.management_network or _common(addresses)
    if not network:
        result.problems.append(
            f"{listed(map(str, addresses))} are in no common network of /{LARGEST} or less: name theirs by "
            "--management-network NETWORK"
        )
        return
    result.settings["management_network"] = str(network)
    if not result.choices.management_network:
        result.comments["management_network"] = "Chosen: the answer file has no prefix length."
        result.chosen.append(
            f"management_network {network}, which holds every address; another: --management-network"
        )


def _common(addresses: list[IPv4Address]) -> IPv4Network | None:
    for prefix in range(SMALLEST, LARGEST - 1, -1):
        network = IPv4Network(f"{addresses[0]}/{prefix}", strict=False)
        ends = (network.network_address, network.broadcast_address)
        if all(address in network and address not in ends for address in addresses):
            return network
    return None


def add_interfaces(result: Translation) -> None:
    """The interfaces that carry the addresses, where the command line tells."""
    for machine in result.machines.values():
        if interface := machine.chosen(result.choices.interfaces):
            machine.data["interface"] = interface


def add_volumes(result: Translation) -> None:
    """The storage host's disks and their group."""
    answers, storage = result.answers, result.doing("storage")
    backends = answers.list("CONFIG_CINDER_BACKEND")
    if not storage:
        return
    if backends not in ([], ["lvm"]):
        result.problems.append(
            f"{answers.found('CONFIG_CINDER_BACKEND')}: volumes are LVM's only, and what is in another "
            "backend would not be found. In a copy of the answer file write lvm, for a new and empty store "
            "of volumes, or CONFIG_CINDER_INSTALL=n, for none"
        )
    group = answers.value("CONFIG_CINDER_VOLUME_NAME")
    if group not in ("", "cinder-volumes"):
        result.settings["volume_group"] = group
    if not result.choices.volume_devices:
        result.problems.append(
            f"{answers.found('CONFIG_CINDER_INSTALL')}: the answer file does not say which disks of "
            f"{storage[0].name} volumes are for: --volume-device /dev/NAME"
        )
    storage[0].data["volume_devices"] = list(result.choices.volume_devices)
    if answers.on("CONFIG_CINDER_VOLUMES_CREATE"):
        result.differs.append(
            f"volumes are on {listed(result.choices.volume_devices)}, and not in a file of "
            f"{answers.value('CONFIG_CINDER_VOLUMES_SIZE')}: {answers.found('CONFIG_CINDER_VOLUMES_CREATE')}"
        )
