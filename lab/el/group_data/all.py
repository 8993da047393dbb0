"""A cloud of today's kind on EL: RDO's repositories, Linux bridges, one flat network."""

platform = "el"
release = "caracal"
l2_agent = "linuxbridge"
self_service_networks = False

management_network = "10.60.0.0/24"
cloud_name = "el"
workers = 1
database_max_connections = 1024
