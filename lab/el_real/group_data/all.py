"""A cloud of real programs on EL: RDO's repositories, Linux bridges, one flat network."""

from lab.el.keys import declared as _keys
from lab.el.repository import url as _url
from lab.hosts import LABS as _LABS

platform = "el"
release = "zed"
l2_agent = "linuxbridge"
self_service_networks = False

management_network = "10.62.0.0/24"
cloud_name = "el-real"
workers = 1
database_max_connections = 1024
# A new CentOS has it on; beside Linux bridges it would refuse the instances' traffic.
firewall = "off"

# RDO's repositories, from the lab's server, whose packages have the lab's signature.
package_source = "rdo"
yum_mirror = _url(_LABS["el-real"])
yum_keys = _keys()
