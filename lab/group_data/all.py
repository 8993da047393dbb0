"""The lab's cloud: small hosts on one machine, whose kernel has no module for Open vSwitch."""

from lab.demo import LIGHT as _LIGHT
from lab.demo import resources as _demo
from lab.image import parts as _parts

management_network = "10.56.0.0/24"
cloud_name = "lab"
workers = 1
database_max_connections = 1024
openvswitch_datapath = "netdev"

# cinder-rootwrap takes seconds in a User Mode Linux host: an attach makes about seven calls.
rpc_response_timeout = 180

# The image that `python -m lab up` has built; it speaks the smoke test's language.
smoke_image = {"tiny": True, "properties": _LIGHT, **{part: str(path) for part, path in _parts().items()}}

resources = _demo("10.56", volume_on="compute2")
