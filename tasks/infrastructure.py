"""Where everybody waits for the database, the message queue and the cache, wherever these are."""

from pyinfra import host

from cloud.model import CACHE_PORT, DATABASE_PORT, MESSAGING_PORT
from operations import service
from tasks.context import cloud

places = [f"{address}:{MESSAGING_PORT}" for address in cloud.database_addresses]
if cloud.does("controller", host):
    # The others ask neither.
    places += [f"{cloud.database_address}:{DATABASE_PORT}"]
    places += [f"{address}:{CACHE_PORT}" for address in cloud.database_addresses]

# On every host: pyinfra orders the operations of different hosts only by those that they have in common, and
# the controller would ask a database that another host is still to start.
service.reached(
    name="Wait until the database, the message queue and the cache can be reached, 60 seconds at most",
    places=places,
    timeout=60,
)
