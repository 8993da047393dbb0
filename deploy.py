"""The whole cloud, in order. One line a task; each also runs alone: pyinfra inventory.py tasks/NAME.py"""

from pyinfra import local

local.include("tasks/preflight.py", data={"preflight_brief": True})  # reads the hosts, refuses what fails
local.include("tasks/base.py")  # host name, /etc/hosts, time zone: packages want to know who they are on
local.include("tasks/repositories.py")  # where packages come from
local.include("tasks/packages.py")  # everything a host needs, in one transaction
local.include("tasks/networkmanager.py")  # off, or away from the cloud's interfaces
local.include("tasks/selinux.py")  # its mode, and what it must allow
local.include("tasks/firewall.py")  # off, or the ports of the host's roles open before anything listens there
local.include("tasks/chrony.py")  # one time for all hosts
local.include("tasks/database.py")  # MariaDB
local.include("tasks/messaging.py")  # RabbitMQ
local.include("tasks/cache.py")  # memcached
local.include("tasks/tls.py")  # every host trusts the cloud's CA, where it has one
local.include("tasks/loadbalancer.py")  # haproxy and keepalived, where there are hosts for it; TLS
local.include("tasks/infrastructure.py")  # everybody waits for these, wherever they are
local.include("tasks/keystone.py")  # identity
local.include("tasks/glance.py")  # images
local.include("tasks/lvm.py")  # the volume group
local.include("tasks/cinder.py")  # volumes; early, for its driver may take a minute to start
local.include("tasks/placement.py")  # what each compute host has to give
local.include("tasks/nova.py")  # instances
local.include("tasks/openvswitch.py")  # bridges of the hosts that carry networks
local.include("tasks/linuxbridge.py")  # the same for Linux bridges, where the cloud has those
local.include("tasks/neutron.py")  # networks
local.include("tasks/lbaas.py")  # load balancers as a service, in releases that have them
local.include("tasks/horizon.py")  # the web interface
local.include("tasks/credentials.py")  # openrc files and clouds.yaml
local.include("tasks/verify.py", data={"verify_patience": 180})  # asks every service whether it is there
