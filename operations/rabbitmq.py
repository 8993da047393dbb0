"""RabbitMQ: users, permissions and plugins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from shlex import quote

from pyinfra import host
from pyinfra.api import StringCommand, operation

from cloud import rabbitmq
from facts.rabbitmq import RabbitMq
from facts.reading import Unreadable, read
from operations.failure import fail

# Definitions come by a file: given them on standard input, import_definitions of RabbitMQ 4.0.5 (Debian 13)
# hangs for ever, and so do add_user and change_password as soon as they get an option too
# (https://github.com/rabbitmq/rabbitmq-server/issues/13157). rabbitmqctl becomes the user rabbitmq, who must
# be able to read the file.
IMPORT = (
    "file=$(mktemp /var/lib/rabbitmq/.definitions.XXXXXX) && trap 'rm -f \"$file\"' EXIT && "
    "trap 'exit 1' HUP INT TERM && "
    'cat >"$file" && chown rabbitmq "$file" && '
    'LC_ALL=C.UTF-8 rabbitmqctl --quiet import_definitions "$file" </dev/null'
)


@operation()
def configured(
    user: str,
    password: str,
    vhost: str = "/",
    tags: Sequence[str] = (),
    permissions: Sequence[str] = (".*", ".*", ".*"),
    plugins: Sequence[str] = (),
    absent: Sequence[str] = ("guest",),
):
    """Have a user with permissions, have plugins enabled, and have other users gone.

    All in one operation, since each start of RabbitMQ's command line costs a second or two. Give it a
    ``name``: pyinfra prints the arguments of an unnamed operation.

    Args:
        user: the user's name.
        password: its password.
        vhost: the virtual host; made when it is missing.
        tags: the user's tags, such as ``administrator``.
        permissions: regular expressions of what the user may configure, write and read.
        plugins: plugins to enable; others stay as they are.
        absent: users to remove: ``guest`` has a password that everyone knows.

    **Example:**

    .. code:: python

        rabbitmq.configured(name="Give OpenStack its user", user="openstack", password=password)
    """
    found = read(RabbitMq)
    if isinstance(found, Unreadable):
        yield fail(f"RabbitMQ on {host.name} can't be asked: {found.reason}")
        return
    definitions = rabbitmq.missing(found, user, password, vhost, tags, permissions)
    enable = [plugin for plugin in plugins if plugin not in found["plugins"]]
    remove = [known["name"] for known in found["users"] if known["name"] in absent]
    if not (definitions or enable or remove):
        host.noop(f"{user}, its permissions and the plugins are as wanted")
    if enable:
        yield StringCommand("LC_ALL=C.UTF-8 rabbitmq-plugins --quiet enable", *map(quote, enable))
    if definitions:
        yield StringCommand("sh", "-c", quote(IMPORT), _stdin=json.dumps(definitions))
    for name in remove:
        yield StringCommand("LC_ALL=C.UTF-8 rabbitmqctl --quiet delete_user --", quote(name))
