"""The second lab's cloud: an older release, built as the original install notes build theirs.

Linux bridges, one flat network that is the hosts' own, no routers, no volumes.
"""

from lab.demo import flat as _demo
from lab.image import parts as _parts

release = "zed"
l2_agent = "linuxbridge"
self_service_networks = False

management_network = "10.58.0.0/24"
cloud_name = "zed"
workers = 1
database_max_connections = 1024

# The image that `python -m lab up zed` has built; it speaks the smoke test's language.
smoke_image = {"tiny": True, **{part: str(path) for part, path in _parts().items()}}

resources = _demo("10.58")
