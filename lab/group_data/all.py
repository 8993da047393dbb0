"""The lab's cloud: small hosts on one machine, without a kernel module for Open vSwitch."""

management_network = "10.56.0.0/24"
cloud_name = "lab"
workers = 1
database_max_connections = 1024
openvswitch_datapath = "netdev"

# cinder-rootwrap takes seconds in a User Mode Linux host: an attach makes about seven calls.
rpc_response_timeout = 180
