"""A control plane of which any one host may die, with TLS by a CA of its own, on one machine."""

from lab.demo import LIGHT as _LIGHT
from lab.demo import resources as _demo
from lab.image import parts as _parts

management_network = "10.66.0.0/24"
virtual_address = "10.66.0.10"
tls = "all"
cloud_name = "ha"
workers = 1
database_max_connections = 1024
openvswitch_datapath = "netdev"

# cinder-rootwrap takes seconds in a User Mode Linux host.
rpc_response_timeout = 180

# The image that `python -m lab up` has built; it speaks the smoke test's language.
smoke_image = {"tiny": True, "properties": _LIGHT, **{part: str(path) for part, path in _parts().items()}}

resources = _demo("10.66")
