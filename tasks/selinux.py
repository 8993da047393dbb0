"""SELinux: the booleans that the host's roles need, and its mode."""

from pyinfra import host

from cloud import protection
from operations import selinux
from tasks.context import cloud

node = cloud.node(host)

if node.settings.selinux and node.settings.selinux != "disabled":
    # Before the mode: nothing is refused in between.
    selinux.booleans(name="Let the services talk to each other", names=protection.booleans(cloud, node))
if node.settings.selinux:
    selinux.mode(name="Set SELinux's mode", mode=node.settings.selinux)
