"""One address in front of everything: the database, RabbitMQ, memcached, every API and Horizon."""

release = "epoxy"
cloud_name = "epoxy"
timezone = "Asia/Shanghai"
management_network = "172.20.0.0/16"
virtual_address = "172.20.6.240"
# The notes' network: instances are directly in it.
self_service_networks = False
provider_network = "external"
