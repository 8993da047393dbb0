"""Read the hosts, and refuse what can't work. Changes nothing, and runs before any host is changed."""

from pyinfra import host, logger

from cloud import lvm, preflight, repositories, verify
from facts.block import BlockDevices
from facts.network import NetworkServices
from facts.preflight import Host
from facts.program import ask
from facts.reading import Unreadable, read
from facts.repositories import Yum
from operations import refusal
from tasks.context import cloud

node = cloud.node(host)


def packages() -> list[str]:
    """What is wrong with the host's repositories. Before the first run ours are not there yet."""
    yum = read(Yum)
    if isinstance(yum, Unreadable):
        return [f"yum's files can't be read: {yum.reason}"]
    wanted = cloud.sources(host)
    try:
        there = repositories.parse(yum["files"])
    except ValueError as problem:
        return [str(problem)]
    for warning in repositories.warnings(wanted, there):
        logger.warning(f"{host.print_prefix}{warning}")
    return repositories.problems(wanted, there)


def address() -> list[str]:
    """Who else has the address that the load balancers are to share. Listens for 3 seconds at most."""
    answer = ask(
        "address_probe",
        interface=node.settings.interface,
        own=node.address,
        address=str(cloud.settings.virtual_address),
        peers=[other.address for other in cloud.doing("loadbalancer") if other.name != node.name],
        unit=node.unit("loadbalancer/address"),
        seconds=3,
    )
    if isinstance(answer, Unreadable):
        return [f"virtual_address: {node.settings.interface} can't be listened to: {answer.reason}"]
    return preflight.address_problems(cloud, node, answer)


def problems() -> list[str]:
    """What stands in the way of this host's work."""
    state = read(Host, python=node.settings.python, modules=preflight.modules(node))
    if isinstance(state, Unreadable):
        return [f"can't be read: {state.reason}"]
    found = preflight.problems(cloud, node, state)
    if verify.has_yum(cloud, host.name):
        found += packages()
    if cloud.does("storage", host):
        devices = node.settings.volume_devices
        disks = read(BlockDevices, devices=devices)
        if isinstance(disks, Unreadable):
            found.append(f"volume_devices: {', '.join(devices)} can't be read: {disks.reason}")
        else:
            refused = [lvm.refusal(device, disks, cloud.settings.volume_group) for device in devices]
            found += [f"volume_devices: {reason}" for reason in refused if reason]
    if cloud.does("loadbalancer", host) and not found:
        found += address()
    services = read(NetworkServices)
    if isinstance(services, Unreadable):
        return [*found, f"the services of its network can't be read: {services.reason}"]
    port = None
    name = node.settings.provider_interface
    if cloud.takes_over(node) and node.address in state.interfaces.get(name, []):
        port = ask("provider_bridge", action="network", port=name)
        if isinstance(port, Unreadable):
            return [*found, f"provider_interface: {name} can't be looked at: {port.reason}"]
    return found + preflight.network_problems(cloud, node, services, port)


refusal.together(problems)
