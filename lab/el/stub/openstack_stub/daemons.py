"""The daemons: what each checks before it says that it is ready, where it listens, and what it reports.

What a real one does beyond that (instances, networks, volumes) none of these does. nova-compute does not talk
to libvirt, the agents touch no device.
"""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
from functools import partial

from . import apis, messaging, release, store
from .config import Config, ConfigError, defaults, parser
from .login import KEPT, Login, LoginError, call, sections
from .web import serve

INTERVAL = 5  # seconds between heartbeats
PATIENCE = 60  # seconds for RabbitMQ to answer at the start

GONE = "%s %s for physical network %s does not exist. Agent terminated!"

# (service, section, user): logins that the deploy makes work only after the service must have reported.
LATER = {("nova", "neutron", "neutron")}


class Daemon:
    """One kind of daemon.

    Args:
        service: whose configuration, database and queue it has.
        files: its configuration, by default.
        databases: those it opens itself, as far as the release has them.
        listens: its servers: option of the address, option of the port, port, what makes the application.
        reports: under which name; nothing: it sends no heartbeat.
        writes: it writes the reports of all into the database.
        check: function that raises ConfigError for what the program can't start with.
        details: function whose answer goes along with each report, and that raises where something fails.
        queue: whether it uses RabbitMQ.
        login: whether it has to log in as its service's user.
    """

    def __init__(
        self, service, files, databases=(), listens=(), reports="", writes=False, check=None, details=None,
        queue=True, login=True,
    ):  # fmt: skip
        self.service, self.files, self.databases, self.listens = service, files, databases, listens
        self.reports, self.writes, self.check, self.details = reports, writes, check, details
        self.queue, self.login = queue, login


# Checks at the start


def writable(path):
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise ConfigError("%s: %s" % (path, error.strerror)) from None
    if not os.access(path, os.W_OK):
        raise ConfigError("%s: not writable" % path)


def check_glance(config):
    if release.has("glance_stores"):
        config.need("DEFAULT", "enabled_backends")
        stores = dict(pairs(config, "DEFAULT", "enabled_backends"))
        if config.need("glance_store", "default_backend") not in stores:
            raise ConfigError("[glance_store] default_backend is none of enabled_backends")
        files = [name for name, kind in stores.items() if kind == "file"]
        for section in [*files, "os_glance_staging_store", "os_glance_tasks_store"]:
            writable(config.need(section, "filesystem_store_datadir"))
    else:
        writable(config.need("glance_store", "filesystem_store_datadir"))


def check_neutron(config):
    if config.need("DEFAULT", "core_plugin") != "ml2":
        raise ConfigError("[DEFAULT] core_plugin: only ml2 is known here")
    drivers = [part.strip() for part in config.need("ml2", "mechanism_drivers").split(",")]
    config.need("ml2", "type_drivers")
    experimental = "linuxbridge" in drivers and release.has("linuxbridge_experimental")
    if experimental and not config.true("experimental", "linuxbridge"):
        raise ConfigError("Feature 'linuxbridge' is experimental and has to be explicitly enabled")


def check_compute(config):
    if config.get("libvirt", "virt_type") not in ("", "kvm", "qemu", "lxc", "parallels"):
        raise ConfigError("[libvirt] virt_type = %s" % config.get("libvirt", "virt_type"))
    if not release.has("vnc_section"):
        return
    try:
        socket.getaddrinfo(config.get("vnc", "server_listen") or "127.0.0.1", 0)
    except OSError as error:
        raise ConfigError("[vnc] server_listen: %s" % error) from None


def pairs(config, section, name):
    """``NETWORK:DEVICE,…``"""
    return [part.strip().split(":") for part in config.get(section, name).split(",") if part.strip()]


def check_linuxbridge(config):
    for network, interface in pairs(config, "linux_bridge", "physical_interface_mappings"):
        if not os.path.exists("/sys/class/net/" + interface):
            raise ConfigError(GONE % ("Interface", interface, network))
    if config.true("vxlan", "enable_vxlan", True):
        config.need("vxlan", "local_ip")


def check_openvswitch(config):
    for network, bridge in pairs(config, "ovs", "bridge_mappings"):
        if subprocess.call(["ovs-vsctl", "--timeout=10", "br-exists", bridge]):
            raise ConfigError(GONE % ("Bridge", bridge, network))
    if "vxlan" in config.get("agent", "tunnel_types"):
        config.need("ovs", "local_ip")


def check_interface_driver(config):
    config.need("DEFAULT", "interface_driver")


def check_lbaas(config):
    """The agent for load balancers plugs in like the others, and has a driver."""
    check_interface_driver(config)
    config.need("DEFAULT", "device_driver")


# What goes along with each heartbeat


def cells_queues(config):
    """nova-scheduler casts into every cell: their queues must take its login."""
    for name, (_, _, queue) in store.cells(config).items():
        if release.has("nova_cells") and name != "cell0":
            messaging.connect(messaging.parsed(queue)).close()
    return {}


def use_placement(config):
    """nova-compute tells placement what its host has; here it only asks."""
    if not release.has("placement") or not release.has("nova_adapters"):
        return {}
    login = Login(config, "placement")
    interface = config.get("placement", "valid_interfaces").split(",")[0] or "internal"
    url = login.endpoint("placement", interface, config.need("placement", "region_name"))
    status, _, _ = call(url + "/resource_providers", login.token())
    if status != 200:
        raise LoginError("placement at %s answers %d" % (url, status))
    return {}


def agent(kind):
    return lambda config: {"type": kind}


def use_metadata(config):
    """The metadata agent asks nova with the secret that both share."""
    option = "nova_metadata_host" if config.get("DEFAULT", "nova_metadata_host") else "nova_metadata_ip"
    host, port = config.get("DEFAULT", option), config.number("DEFAULT", "nova_metadata_port", 8775)
    instance = "00000000-0000-0000-0000-000000000000"
    signed = apis.signature(config.get("DEFAULT", "metadata_proxy_shared_secret"), instance)
    headers = {"X-Instance-ID": instance, "X-Instance-ID-Signature": signed}
    request = urllib.request.Request("http://%s:%d/" % (host or "127.0.0.1", port), headers=headers)
    urllib.request.urlopen(request, timeout=10).close()
    return {"type": "Metadata agent"}


def backends(config):
    """cinder-volume's, by name: ``{backend: GiB free in its volume group}``."""
    found = {}
    for backend in config.need("DEFAULT", "enabled_backends").split(","):
        if not config.need(backend, "volume_driver").endswith("LVMVolumeDriver"):
            raise ConfigError("[%s] volume_driver: only LVM's is known here" % backend)
        group = config.get(backend, "volume_group") or "cinder-volumes"
        helper = config.get(backend, "target_helper") or config.get(backend, "iscsi_helper")
        if helper != "lioadm":
            raise ConfigError("[%s] target_helper is %r: EL has lioadm only" % (backend, helper))
        command = ["vgs", "--noheadings", "--nosuffix", "--units", "g", "-o", "vg_free", group]
        if os.geteuid():
            command = ["sudo", "-n", "cinder-rootwrap", "/etc/cinder/rootwrap.conf", *command]
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        if ran.returncode:
            # Like the real driver: it stays down, and the service with it, until a restart finds the group.
            raise RuntimeError("volume group %s: %s" % (group, ran.stderr.strip()))
        found[backend] = float(ran.stdout)
    return found


# Which there are

NOVA = ("nova_api", "nova")
NEUTRON = ["neutron.conf"]
DAEMONS = {
    "nova-api": Daemon(
        "nova", ["nova.conf"], NOVA,
        [
            ("osapi_compute_listen", "osapi_compute_listen_port", 8774, apis.nova),
            ("metadata_listen", "metadata_listen_port", 8775, apis.Metadata),
        ],
    ),
    "nova-conductor": Daemon("nova", ["nova.conf"], NOVA, reports="nova-conductor", writes=True),
    "nova-scheduler": Daemon("nova", ["nova.conf"], NOVA, reports="nova-scheduler", details=cells_queues),
    "nova-cert": Daemon("nova", ["nova.conf"], NOVA, reports="nova-cert"),
    "nova-consoleauth": Daemon("nova", ["nova.conf"], NOVA, reports="nova-consoleauth"),
    "nova-novncproxy": Daemon("nova", ["nova.conf"], NOVA, login=False),
    "nova-compute": Daemon(
        "nova", ["nova.conf"], reports="nova-compute", check=check_compute, details=use_placement
    ),
    "glance-api": Daemon(
        "glance", ["glance-api.conf"], ["glance"], [("bind_host", "bind_port", 9292, apis.glance)],
        check=check_glance, queue=False,
    ),
    "glance-registry": Daemon(
        "glance", ["glance-registry.conf"], ["glance"], [("bind_host", "bind_port", 9191, apis.Registry)],
        queue=False,
    ),
    "neutron-server": Daemon(
        "neutron", NEUTRON, ["neutron"], [("bind_host", "bind_port", 9696, apis.neutron)],
        check=check_neutron, writes=True,
    ),
    "neutron-dhcp-agent": Daemon(
        "neutron", [*NEUTRON, "dhcp_agent.ini"], reports="neutron-dhcp-agent", details=agent("DHCP agent"),
        check=check_interface_driver, login=False,
    ),
    "neutron-l3-agent": Daemon(
        "neutron", [*NEUTRON, "l3_agent.ini"], reports="neutron-l3-agent", details=agent("L3 agent"),
        check=check_interface_driver, login=False,
    ),
    "neutron-metadata-agent": Daemon(
        "neutron", [*NEUTRON, "metadata_agent.ini"], reports="neutron-metadata-agent", details=use_metadata,
        login=False,
    ),
    "neutron-linuxbridge-agent": Daemon(
        "neutron", [*NEUTRON, "plugins/ml2/linuxbridge_agent.ini"], reports="neutron-linuxbridge-agent",
        details=agent("Linux bridge agent"), check=check_linuxbridge, login=False,
    ),
    "neutron-openvswitch-agent": Daemon(
        "neutron", [*NEUTRON, "plugins/ml2/openvswitch_agent.ini"], reports="neutron-openvswitch-agent",
        details=agent("Open vSwitch agent"), check=check_openvswitch, login=False,
    ),
    "neutron-lbaas-agent": Daemon(
        "neutron", [*NEUTRON, "lbaas_agent.ini"], reports="neutron-lbaas-agent",
        details=agent("Loadbalancer agent"), check=check_lbaas, login=False,
    ),
    "cinder-api": Daemon(
        "cinder", ["cinder.conf"], ["cinder"],
        [("osapi_volume_listen", "osapi_volume_listen_port", 8776, apis.cinder)],
    ),
    "cinder-scheduler": Daemon(
        "cinder", ["cinder.conf"], ["cinder"], reports="cinder-scheduler", writes=True
    ),
    "cinder-volume": Daemon(
        "cinder", ["cinder.conf"], ["cinder"], reports="cinder-volume", details=backends
    ),
}  # fmt: skip


# How they run


def log_in(daemon, config):
    """Log in with every section that holds a login.

    Raises:
        LoginError: one was refused, or the service's own section has none.
    """
    for section in sections(config):
        user = config.get(section, "username")
        if (daemon.service, section, user) not in LATER:
            Login(config, section).token()
    if daemon.login:
        Login(config).token()


def written(url, service, report):
    """Write one report into the service's database."""
    table = "agents" if service == "neutron" else "services"
    host, program, details = report["host"], report["program"], json.dumps(report["details"])
    with store.opened(url) as opened:
        opened("REPLACE INTO %s VALUES (%%s, %%s, %%s, %%s, 0)" % table, host, program, store.now(), details)
        if program == "nova-compute":
            opened("REPLACE INTO compute_nodes VALUES (%s, 0)", host)


def write_reports(daemon, config):
    """Write every report that comes; a lost connection is made again, and for good lost after a minute."""
    url = store.url_of(config, daemon.service)
    try:
        while True:
            try:
                connection = messaging.wait_for(messaging.servers(config), PATIENCE)
                messaging.Queue(daemon.service, connection).receive(partial(written, url, daemon.service))
            except Exception:
                traceback.print_exc()
                time.sleep(1)
    except BaseException:
        # A thread's end would leave the process behind, alive and useless.
        os._exit(1)


def reports_of(daemon, config):
    """The heartbeats to send now: one, or cinder-volume's one a backend."""
    details = daemon.details(config) if daemon.details else {}
    reports = [(config.host(), details)]
    if daemon.reports == "cinder-volume":
        reports = [
            ("%s@%s" % (config.host(), name), {"free_capacity_gb": free}) for name, free in details.items()
        ]
    return [{"host": host, "program": daemon.reports, "details": details} for host, details in reports]


def heartbeats(daemon, config):
    """Send a heartbeat every few seconds, and none while a login or a check of the daemon's fails."""
    logged_in, queue = None, None
    while True:
        try:
            if logged_in is None or time.monotonic() - logged_in > KEPT:
                log_in(daemon, config)
                found = reports_of(daemon, config)
                logged_in = time.monotonic()
            if queue is None:
                queue = messaging.Queue(daemon.service, messaging.connect(messaging.servers(config)))
            for report in found:
                queue.send(report)
        except Exception as error:
            print("no heartbeat: %s: %s" % (type(error).__name__, error), file=sys.stderr, flush=True)
            queue = None
            if isinstance(error, (LoginError, urllib.error.URLError, RuntimeError)):
                logged_in = None
        time.sleep(INTERVAL)


def ready():
    """Tell systemd."""
    place = os.environ.get("NOTIFY_SOCKET")
    if place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", "\0" + place[1:] if place[0] == "@" else place)


def listen(daemon, config):
    """Start the daemon's servers."""
    enabled = config.get("DEFAULT", "enabled_apis") or "osapi_compute,metadata"
    for address, port, default, application in daemon.listens:
        if daemon.service == "nova" and address.rpartition("_")[0] not in enabled:
            continue
        where = config.get("DEFAULT", address) or "0.0.0.0"
        number = config.number("DEFAULT", port, default)
        try:
            serve(where, number, application(config))
        except OSError as error:
            raise ConfigError("can't listen on %s:%d: %s" % (where, number, error)) from None


def listen_for_consoles(config, web):
    """nova-novncproxy: the files of noVNC, and no console."""
    if not web or not os.path.isdir(web):
        raise ConfigError("Can not find novnc html/js files at %s." % web)
    where = config.get("vnc", "novncproxy_host") or config.get("DEFAULT", "novncproxy_host") or "0.0.0.0"
    port = config.number("vnc", "novncproxy_port", 6080)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=web)
    try:
        server = http.server.ThreadingHTTPServer((where, port), handler)
    except OSError as error:
        raise ConfigError("can't listen on %s:%d: %s" % (where, port, error)) from None
    threading.Thread(target=server.serve_forever, daemon=True).start()


def run(program, arguments):
    """Be a daemon; never returns."""
    daemon = DAEMONS[program]
    options = parser(program).parse_args(arguments)
    config = Config(options.files or defaults(daemon.service, daemon.files))
    if daemon.check:
        daemon.check(config)
    if daemon.login:
        apis.login_of(config)
    for database in filter(release.has_database, daemon.databases):
        store.ready(store.url_of(config, database), database)
    if daemon.queue:
        messaging.wait_for(messaging.servers(config), PATIENCE).close()
    listen(daemon, config)
    if program == "nova-novncproxy":
        listen_for_consoles(config, options.web or "/usr/share/spice-html5")
    if daemon.writes:
        threading.Thread(target=write_reports, args=(daemon, config), daemon=True).start()
    ready()
    print("%s: ready" % program, file=sys.stderr, flush=True)
    if daemon.reports:
        heartbeats(daemon, config)
    while True:
        signal.pause()
