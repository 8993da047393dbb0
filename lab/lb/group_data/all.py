"""The cloud behind two load balancers: zed, as the second lab has it, at an address that they share."""

from lab.demo import flat as _demo
from lab.image import parts as _parts

release = "zed"
l2_agent = "linuxbridge"
self_service_networks = False

management_network = "10.63.0.0/24"
virtual_address = "10.63.0.10"
cloud_name = "lb"
workers = 1
database_max_connections = 1024

# The image that `python -m lab up lb` has built; it speaks the smoke test's language.
smoke_image = {"tiny": True, **{part: str(path) for part, path in _parts().items()}}

resources = _demo("10.63")
