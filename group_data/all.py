"""Choices for the whole cloud. Every setting, with its default: docs/settings.md."""

# How to reach the hosts. Not root? Then name the user, and let it use sudo:
# ssh_user = "operator"
# _sudo = True
ssh_user = "root"

release = "epoxy"
region = "RegionOne"
management_network = "192.168.56.0/24"
timezone = "UTC"

# Time servers the first controller follows; the other hosts follow the controllers.
# With none, the first controller's own clock is the cloud's time.
ntp_servers = []

# Your own options, put into the services' files last:
# config_overrides = {"/etc/nova/nova.conf": {"DEFAULT": {"cpu_allocation_ratio": "4.0"}}}
config_overrides = {}
