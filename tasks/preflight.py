"""Read the host, and refuse what can't work. Changes nothing, and runs before any host is changed."""

from pyinfra import host
from pyinfra.api.exceptions import DeployError

from cloud import preflight
from facts.block import BlockDevice
from facts.preflight import Host
from facts.reading import Unreadable, read
from operations.lvm import refusal
from tasks.context import cloud

node = cloud.node(host)

state = read(Host)
if isinstance(state, Unreadable):
    raise DeployError(f"{host.name}: can't be read: {state.reason}")

problems = preflight.problems(cloud, node, state)
for device in node.settings.volume_devices if cloud.does("storage", host) else []:
    found = read(BlockDevice, path=device)
    reason = found.reason if isinstance(found, Unreadable) else refusal(found, cloud.settings.volume_group)
    if reason:
        problems.append(f"volume_devices: {reason}")

if problems:
    lines = "".join(f"\n  - {problem}" for problem in problems)
    raise DeployError(f"{host.name} can't be deployed, nothing was changed on any host:{lines}")
