"""New keys for tokens and credentials, on all controllers; no token ends by it, however often it runs.

`pyinfra inventory.py tasks/rotate_keys.py`: see docs/keys.md. Killed at any point, it, or the deploy, is run
again: operations/keystone.py says what that does.
"""

from pyinfra import host, logger

from operations import keystone
from tasks.context import cloud

controllers = cloud.work["controller"]
first = cloud.is_first("controller", host)

if cloud.release.has("uuid_tokens"):
    if first:
        logger.info(f"{cloud.release}: tokens are random numbers, and credentials not encrypted: no keys")
elif cloud.does("controller", host):
    keystone.collect(name="Ask the controllers which keys they have")
    keystone.take(name="Read the newest keys, where a controller lacks any", controllers=controllers)
    keystone.distributed(
        name="Have the newest keys that sign tokens", repository="fernet", controllers=controllers
    )
    keystone.distributed(
        name="Have the newest keys that encrypt credentials", repository="credential", controllers=controllers
    )
    # From here on the next primary keys are known to all, so that it does not matter who has them first.
    keystone.collect(name="Ask whether all controllers are in step")
    keystone.in_step(name="Go on only when all controllers are in step", controllers=controllers)

    if first:
        keystone.rotated(
            name="Rotate the keys that sign tokens", repository="fernet", controllers=controllers
        )
        keystone.encrypted(name="Encrypt all credentials with the present key")
        keystone.rotated(
            name="Rotate the keys that encrypt credentials", repository="credential", controllers=controllers
        )

    keystone.collect(name="Ask the controllers again which keys they have")
    keystone.take(name="Read the new keys", controllers=controllers)
    keystone.distributed(
        name="Have the new keys that sign tokens", repository="fernet", controllers=controllers
    )
    keystone.distributed(
        name="Have the new keys that encrypt credentials", repository="credential", controllers=controllers
    )
    keystone.collect(name="Ask whether all controllers have the new keys")
    keystone.in_step(name="End only when all controllers have the new keys", controllers=controllers)
    if first:
        keystone.encrypted(name="Encrypt all credentials with the new key")
