"""The choices for three controllers."""

management_network = "192.168.56.0/24"
virtual_address = "192.168.56.10"
