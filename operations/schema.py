"""Database schemas of the services."""

from __future__ import annotations

from shlex import quote

from pyinfra import host
from pyinfra.api import StringCommand, operation

from cloud.model import Cloud
from facts.program import ask
from facts.reading import Unreadable
from operations.failure import fail


@operation()
def at_head(cloud: Cloud, service: str, commands: list[str], databases: list[str] | None = None):
    """Bring a service's databases to the revision its installed code wants.

    What is there is read from the databases themselves, so a sync that was killed half-way is done again,
    and one that a package upgrade has made necessary is done too.

    Args:
        cloud: the model.
        service: the service's name.
        commands: what brings the schema to head, run in order as the service's user.
        databases: which of the service's databases they are for; default: all of them.

    **Example:**

    .. code:: python

        schema.at_head(cloud=cloud, service="glance", commands=["glance-manage db_sync"])
    """
    request = cloud.schema_request(cloud.node(host), service, databases)
    found = ask("schema_state", **request)
    if isinstance(found, Unreadable):
        yield fail(f"{service}: its schema can't be read: {found.reason}")
        return
    errors = [f"{database}: {state['error']}" for database, state in found.items() if "error" in state]
    if errors:
        yield fail(f"{service}: its schema can't be read: {'; '.join(errors)}")
    elif all(state["heads"] == state["found"] for state in found.values()):
        host.noop(f"{', '.join(found)}: at head")
    else:
        for command in commands:
            # As the service's user: run by root, the command would leave a log file the service can't write.
            yield StringCommand("LC_ALL=C.UTF-8 su -s /bin/sh -c", quote(command), service)
