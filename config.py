"""pyinfra runs this file before it contacts any host: the place to refuse a wrong inventory.

tasks/context.py builds the same model again, from the inventory that pyinfra then loads.
"""

import os
from pathlib import Path

import click
from pyinfra.api.exceptions import PyinfraError
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.util import parse_cli_arg

from cloud import inputs, packstack

parameters = click.get_current_context().params
if parameters["operations"] and all(name.endswith(".py") for name in parameters["operations"]):
    path = parameters["inventory"]
    os.environ["OPENSTACK_INVENTORY"] = path
    if not Path(path).is_file():
        raise PyinfraError(f"no such inventory file: {path}")
    given = dict(item.split("=", 1) for item in parameters["data"] or ())
    inventory = make_inventory(
        path,
        override_data={name: parse_cli_arg(value) for name, value in given.items()},
        cwd=str(Path.cwd()),
        group_data_directories=parameters["group_data"],
    )
    limits = parameters["limit"] or ()
    for pattern in limits:
        # pyinfra only warns, does nothing, and ends with status 0.
        names = {host.name for host in inventory} | set(inventory.groups)
        if not any(Path(name).match(pattern) for name in names):
            raise PyinfraError(
                f"--limit {pattern}: no such host or group; there are: {', '.join(sorted(names))}"
            )
    try:
        cloud = inputs.read(inventory, path)
    except inputs.InputError as error:
        raise PyinfraError(str(error)) from None
    if refusal := packstack.refusal(cloud.settings.deployed_by, parameters["operations"]):
        raise PyinfraError(refusal)
