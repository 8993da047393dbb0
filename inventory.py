"""Your hosts, in groups. A host is (name, data); the name becomes its host name.

ssh_hostname   its address in the management network; SSH connects there, services listen there
every other    see docs/settings.md

One host may stand in several groups: a cloud on one machine has it in all three.
"""

# Databases, message queue, APIs, schedulers, network agents, Horizon.
controller = [
    ("controller", {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1"}),
]

# Instances run here.
compute = [
    ("compute", {"ssh_hostname": "192.168.56.12", "provider_interface": "eth1"}),
]

# Volumes lie here, on empty disks that become the LVM volume group.
storage = [
    ("storage", {"ssh_hostname": "192.168.56.13", "volume_devices": ["/dev/sdb"]}),
]
