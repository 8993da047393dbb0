"""What every service takes for granted: the host's name, its neighbours' addresses, one time zone."""

from pyinfra import host
from pyinfra.operations import files, server

from cloud.templates import render
from tasks.context import cloud

server.hostname(name="Set the host name", hostname=host.name)

# Debian's installer puts the host's own name on 127.0.1.1: RabbitMQ and libvirt would then give their peers
# an address that leads every peer to itself.
files.line(
    name="Keep the host's own name off 127.0.1.1",
    path="/etc/hosts",
    line=r"^127\.0\.1\.1\s.*",
    present=False,
)
files.block(
    name="Name the cloud's hosts in /etc/hosts",
    path="/etc/hosts",
    content=render("templates/base/hosts.j2", cloud=cloud).splitlines(),
    marker="# {mark} hosts of the cloud",
)
server.timezone(name="Set the time zone", timezone=cloud.settings.timezone)
