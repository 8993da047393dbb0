"""The cloud of the original install notes: Liberty, Linux bridges, one flat network."""

platform = "el"
release = "liberty"
l2_agent = "linuxbridge"
self_service_networks = False

management_network = "10.61.0.0/24"
cloud_name = "el7"
workers = 1
database_max_connections = 1024

# The notes' choices.
selinux = "disabled"
firewall = "off"
lbaas = True
