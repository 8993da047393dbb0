"""The choices for one host."""

management_network = "192.168.56.0/24"
dns_servers = ["192.168.56.1"]
