"""The only place where pyinfra's inventory and data become the ``Cloud`` model.

``from tasks.context import cloud`` gives the whole inventory's cloud, whatever ``--limit`` says.
"""

import os

from pyinfra import inventory
from pyinfra.api.exceptions import PyinfraError

from cloud import inputs

try:
    # config.py, which pyinfra reads first, has left here which inventory was named.
    cloud = inputs.read(inventory, os.environ.get("OPENSTACK_INVENTORY", "inventory.py"))
except inputs.InputError as error:
    raise PyinfraError(str(error)) from None
