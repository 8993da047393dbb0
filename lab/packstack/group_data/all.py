"""The cloud of the original install notes, built by packstack: their ten answers, and RDO's repositories."""

from lab.el.keys import declared as _keys
from lab.el.repository import url as _url
from lab.hosts import LABS as _LABS

platform = "el"
release = "caracal"
l2_agent = "linuxbridge"
self_service_networks = False

management_network = "10.60.0.0/24"
cloud_name = "packstack"

deployed_by = "packstack"
# CONFIG_DEFAULT_PASSWORD, the tenth, is in secrets.toml.
packstack_answers = {
    "CONFIG_SWIFT_INSTALL": "n",
    "CONFIG_NTP_SERVERS": "192.168.1.254",
    "CONFIG_CINDER_VOLUMES_CREATE": "n",
    "CONFIG_NEUTRON_ML2_TYPE_DRIVERS": "flat,vxlan",
    "CONFIG_NEUTRON_ML2_VXLAN_GROUP": "239.1.1.5",
    "CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS": "physnet1:br-ex",
    "CONFIG_NEUTRON_OVS_BRIDGE_IFACES": "br-ex:eth0",
    "CONFIG_NEUTRON_OVS_TUNNEL_IF": "eth1",
    "CONFIG_PROVISION_DEMO": "n",
    # Not in the notes: their second host, which they leave to packstack's own question.
    "CONFIG_COMPUTE_HOSTS": "10.60.0.11,10.60.0.12",
    # And today's packstack takes OVN by itself, which has no use for three of these.
    "CONFIG_NEUTRON_L2_AGENT": "openvswitch",
}
# As the notes have it.
firewall = "off"
# The notes' own password is one that everybody knows.
allow_weak_secrets = True

package_source = "rdo"
yum_mirror = _url(_LABS["el"])
yum_keys = _keys()
