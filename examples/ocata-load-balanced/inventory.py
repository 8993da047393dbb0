"""Ocata behind two load balancers, with the database, RabbitMQ and memcached on a host of their own."""

controller = [("controller", {"ssh_hostname": "172.20.102.145"})]
compute = [("compute", {"ssh_hostname": "172.20.6.10"})]
loadbalancer = [
    ("lb1", {"ssh_hostname": "172.20.6.60", "interface": "eth0"}),
    ("lb2", {"ssh_hostname": "172.20.6.61", "interface": "eth0"}),
]
database = [("database", {"ssh_hostname": "172.20.6.40"})]
