"""Every package a host needs, in one transaction: many small ones cost minutes."""

from pyinfra import host

from operations import packages
from tasks.context import cloud

node = cloud.node(host)

packages.installed(
    name="Install the packages of the host's roles",
    packages=cloud.packages(host),
    platform=node.platform.name,
    debconf=node.platform.debconf,
    versions=node.settings.package_versions,
)
