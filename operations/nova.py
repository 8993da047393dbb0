"""Nova's cells: which there are, and which compute hosts are in them.

Source: nova's administration guide, "Cells (v2)". The order is api_db sync, map cell0, create the cell,
db sync, and discovery after the compute hosts have reported.
"""

from __future__ import annotations

import time
from shlex import quote

from pyinfra import host, logger
from pyinfra.api import FunctionCommand, StringCommand, operation

from cloud.model import Cloud
from facts.program import ask
from facts.reading import Unreadable
from operations.failure import fail

CELL0 = "00000000-0000-0000-0000-000000000000"
CELL1 = "cell1"

# nova fills these in from its own [database] connection and transport_url when it reads a mapping: no
# password is stored in it, none is in argv, and a changed password can't leave a stale cell behind.
DATABASE = "{scheme}://{username}:{password}@{hostname}:{port}/%s?{query}"
TRANSPORT = "{scheme}://{username}:{password}@{hostname}:{port}/{path}"


def _state(cloud: Cloud):
    nova = cloud.service("nova")
    return ask(
        "nova_cells",
        host=cloud.database_address,
        user=nova.name,
        password=nova.database_password,
        api="nova_api",
        cell="nova",
    )


def _manage(command: str) -> StringCommand:
    return StringCommand("LC_ALL=C.UTF-8 su -s /bin/sh -c", quote(f"nova-manage {command}"), "nova")


@operation()
def cells(cloud: Cloud):
    """Map cell0, where instances go that found no host, and cell1, where all others live.

    Args:
        cloud: the model.
    """
    found = _state(cloud)
    if isinstance(found, Unreadable):
        yield fail(f"nova's cells can't be read: {found.reason}")
        return
    by_name = {cell["name"]: uuid for uuid, cell in found["cells"].items()}
    missing = []
    if CELL0 not in found["cells"]:
        missing.append(f"map_cell0 --database_connection {quote(DATABASE % 'nova_cell0')}")
    if CELL1 not in by_name:
        url = f"--database_connection {quote(DATABASE % 'nova')} --transport-url {quote(TRANSPORT)}"
        missing.append(f"create_cell --name {CELL1} {url}")
    if not missing:
        host.noop(f"mapped: {', '.join(sorted(by_name))}")
    for command in missing:
        yield _manage(f"cell_v2 {command}")


@operation()
def hosts_mapped(cloud: Cloud, timeout: int = 120):
    """Map every compute host of the inventory into its cell, once it has reported itself.

    Call it for controllers and compute hosts; it works on the first controller.

    Args:
        cloud: the model.
        timeout: seconds to wait for the hosts to report.
    """
    if not cloud.is_first("controller", host):
        host.noop("the first controller maps the hosts")
        return
    wanted = {node.name for node in cloud.doing("compute")}
    found = _state(cloud)
    if isinstance(found, Unreadable):
        yield fail(f"nova's compute hosts can't be read: {found.reason}")
        return
    if wanted <= set(found["mapped"]):
        host.noop(f"mapped: {', '.join(sorted(wanted))}")
        return
    yield FunctionCommand(_wait_for, (cloud, wanted, timeout), {})
    yield _manage("cell_v2 discover_hosts")


def _wait_for(state, host, cloud: Cloud, wanted: set[str], timeout: int) -> bool:
    """Wait until every compute host has reported itself; False, with their names, when one has not."""
    end = time.monotonic() + timeout
    while True:
        found = _state(cloud)
        silent = wanted - set(() if isinstance(found, Unreadable) else found["reported"])
        if not silent:
            return True
        if time.monotonic() > end:
            names, unit = ", ".join(sorted(silent)), cloud.first("compute").unit("nova/compute")
            logger.error(
                f"{host.print_prefix}no report from nova-compute on {names} within {timeout} s: look at "
                f"its log there with: journalctl -u {unit}; and at /var/log/nova/nova-compute.log"
            )
            return False
        time.sleep(2)
