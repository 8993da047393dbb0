"""What the notes add on the compute host: its files began as copies of the controller's."""

_keystone = {
    "auth_url": "http://192.168.56.11:35357",
    "auth_plugin": "password",
    "project_domain_id": "default",
    "user_domain_id": "default",
    "region_name": "RegionOne",
    "project_name": "service",
}

config_overrides = {
    "/etc/nova/nova.conf": {
        "DEFAULT": {
            "debug": "true",
            "verbose": "True",
            "vnc_keymap": "en-us",
            "vncserver_listen": "0.0.0.0",
            "vncserver_proxyclient_address": "$my_ip",
        },
        "database": {"connection": "mysql://nova:nova@192.168.56.11/nova"},
        "neutron": {"service_metadata_proxy": "True", "metadata_proxy_shared_secret": "neutron"},
        "cinder": {"os_region_name": None},
        "libvirt": {"inject_password": "true"},
    },
    "/etc/neutron/neutron.conf": {
        "DEFAULT": {
            "state_path": "/var/lib/neutron",
            "core_plugin": "ml2",
            "service_plugins": "router",
            "notify_nova_on_port_status_changes": "True",
            "notify_nova_on_port_data_changes": "True",
            "nova_url": "http://192.168.56.11:8774/v2",
        },
        "database": {"connection": "mysql://neutron:neutron@192.168.56.11:3306/neutron"},
        "oslo_concurrency": {"lock_path": "$state_path/lock"},
        "nova": {**_keystone, "username": "nova", "password": "nova"},
    },
}
virt_type = "kvm"
