"""The lab `clusters`: as small as three members can be."""

release = "zed"
management_network = "10.64.0.0/24"
virtual_address = "10.64.0.30"
cloud_name = "clusters"
workers = 1
database_max_connections = 200
galera_cache_megabytes = 64
