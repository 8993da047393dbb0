"""As much of a cloud as its bridge needs."""

release = "epoxy"
self_service_networks = False
management_network = "10.65.0.0/24"
cloud_name = "single"
