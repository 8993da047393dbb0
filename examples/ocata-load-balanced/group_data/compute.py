"""What the notes add on the compute host."""

config_overrides = {
    "/etc/nova/nova.conf": {
        "DEFAULT": {"transport_url": "rabbit://openstack:centos@172.20.6.240:5672"},
        "vnc": {"vncserver_listen": "0.0.0.0"},
        "placement": {
            "auth_url": "http://172.20.102.145:35357/v3",
            "project_domain_name": "Default",
            "user_domain_name": "Default",
        },
    },
    "/etc/neutron/plugins/ml2/linuxbridge_agent.ini": {
        "linux_bridge": {"physical_interface_mappings": "external:eth0,internal:eth1"},
    },
}
# The notes' answer to a processor without hardware acceleration.
virt_type = "qemu"
