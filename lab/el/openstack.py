"""OpenStack's packages as RDO makes them: units, configuration samples, paths, accounts.

Sources: RDO's spec files and units of caracal for EL 9; for EL 7 the names of the original install notes,
which are RDO's of Liberty. Which programs lie behind the units is another question: ``lab/el/stub``.
"""

from __future__ import annotations

from lab.el.rpm import UNITS, Account, Rpm, Text

# Enough of a sample for a merge to have comments and sections to keep.
SAMPLE = """\
[DEFAULT]

#
# From {program}
#

# If set to true, the logging level will be set to DEBUG instead of the default
# INFO level. (boolean value)
# Note: This option can be changed without restarting.
#debug = false

# (Optional) The base directory used for relative log_file paths. (string value)
#log_dir = <None>

[database]

# The SQLAlchemy connection string to use to connect to the database. (string
# value)
#connection = <None>

[keystone_authtoken]

# Complete "public" Identity API endpoint. (string value)
#www_authenticate_uri = <None>

[oslo_concurrency]

# Directory to use for lock files. (string value)
#lock_path = <None>
"""


def _unit(
    program: str,
    user: str,
    description: str,
    arguments: str = "",
    ready: bool = True,
    restart: str = "always",
    before: str = "",
) -> Text:
    """A unit; ``ready``: the daemon says when it is up (``Type=notify``), and systemctl waits for that."""
    return Text(
        f"[Unit]\nDescription={description}\nAfter=syslog.target network.target\n\n[Service]\n"
        f"Type={'notify' if ready else 'simple'}\n{'NotifyAccess=all' + chr(10) if ready else ''}"
        f"TimeoutStartSec=90\nRestart={restart}\nUser={user}\n{before}"
        f"ExecStart=/usr/bin/{program}{' ' + arguments if arguments else ''}\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def _sample(program: str, group: str) -> Text:
    return Text(SAMPLE.format(program=program), "0640", "root", group)


def _dist(group: str, options: str) -> Text:
    """The package's own defaults, which RDO's programs read before what is in /etc."""
    return Text(f"[DEFAULT]\n{options}\n", "0640", "root", group)


def _directories(service: str) -> dict[str, tuple[str, str, str]]:
    return {
        f"/etc/{service}": ("0750" if service == "keystone" else "0755", "root", service),
        f"/var/lib/{service}": ("0755", service, service),
        f"/var/log/{service}": ("0750", service, service),
    }


KEYSTONE_ACCOUNT = Account("keystone", 163, "/var/lib/keystone")
GLANCE_ACCOUNT = Account("glance", 161, "/var/lib/glance")
NOVA_ACCOUNT = Account("nova", 162, "/var/lib/nova", ("nobody",))
CINDER_ACCOUNT = Account("cinder", 165, "/var/lib/cinder", ("nobody",))
NEUTRON_ACCOUNT = Account("neutron", 991, "/var/lib/neutron")
PLACEMENT_ACCOUNT = Account("placement", 992, "/")

WSGI_KEYSTONE = """\
Listen 5000

<VirtualHost *:5000>
    WSGIDaemonProcess keystone-public processes=5 threads=1 user=keystone group=keystone display-name=%{GROUP}
    WSGIProcessGroup keystone-public
    WSGIScriptAlias / /usr/bin/keystone-wsgi-public
    WSGIApplicationGroup %{GLOBAL}
    WSGIPassAuthorization On
    LimitRequestBody 114688
    <IfVersion >= 2.4>
      ErrorLogFormat "%{cu}t %M"
    </IfVersion>
    ErrorLog /var/log/httpd/keystone.log
    CustomLog /var/log/httpd/keystone_access.log combined

    <Directory /usr/bin>
        <IfVersion >= 2.4>
            Require all granted
        </IfVersion>
        <IfVersion < 2.4>
            Order allow,deny
            Allow from all
        </IfVersion>
    </Directory>
</VirtualHost>
"""

# Without a <Directory> that lets anyone in, as RDO's file is.
WSGI_PLACEMENT = """\
Listen 8778

<VirtualHost *:8778>
  WSGIProcessGroup placement-api
  WSGIApplicationGroup %{GLOBAL}
  WSGIPassAuthorization On
  WSGIDaemonProcess placement-api processes=3 threads=1 user=placement group=placement
  WSGIScriptAlias / /usr/bin/placement-api
  <IfVersion >= 2.4>
    ErrorLogFormat "%M"
  </IfVersion>
  ErrorLog /var/log/placement/placement-api.log
</VirtualHost>

Alias /placement-api /usr/bin/placement-api
<Location /placement-api>
  SetHandler wsgi-script
  Options +ExecCGI
  WSGIProcessGroup placement-api
  WSGIApplicationGroup %{GLOBAL}
  WSGIPassAuthorization On
</Location>
"""

DASHBOARD = "/usr/share/openstack-dashboard"
SETTINGS = "/etc/openstack-dashboard/local_settings"
WSGI_DASHBOARD = """\
<VirtualHost *:80>
    WSGIScriptAlias /dashboard {dashboard}/openstack_dashboard/wsgi/{program}
    Alias /dashboard/static {dashboard}/static

    WSGIDaemonProcess dashboard
    WSGIProcessGroup dashboard

    <Directory {dashboard}/openstack_dashboard/wsgi>
        Options All
        AllowOverride All
        Require all granted
    </Directory>

    <Directory {dashboard}/static>
        Options All
        AllowOverride All
        Require all granted
    </Directory>

    ErrorLog /var/log/httpd/openstack_dashboard-error.log
    CustomLog /var/log/httpd/openstack_dashboard-access.log combined
</VirtualHost>
"""
LOCAL_SETTINGS = """\
import os

DEBUG = False
ALLOWED_HOSTS = ['horizon.example.com', 'localhost']
LOCAL_PATH = '/tmp'
SECRET_KEY = 'the package makes one'
OPENSTACK_HOST = "127.0.0.1"
OPENSTACK_KEYSTONE_URL = "http://%s/identity/v3" % OPENSTACK_HOST
TIME_ZONE = "UTC"
WEBROOT = '/dashboard/'
"""


def _dashboard(program: str, requires: tuple[str, ...]) -> Rpm:
    return Rpm(
        "openstack-dashboard",
        files={
            "/etc/httpd/conf.d/openstack-dashboard.conf": Text(
                WSGI_DASHBOARD.format(dashboard=DASHBOARD, program=program)
            ),
            SETTINGS: Text(LOCAL_SETTINGS, "0640", "root", "apache"),
        },
        directories={
            "/etc/openstack-dashboard": ("0750", "root", "apache"),
            f"{DASHBOARD}/static": ("0755", "root", "root"),
        },
        links={f"{DASHBOARD}/openstack_dashboard/local/local_settings.py": SETTINGS},
        requires=("httpd", *requires),
        programs=True,
    )


def _agent(kind: str, *files: str) -> dict[str, Text]:
    """The unit of one of neutron's agents, and its configuration samples."""
    name = f"neutron-{kind}-agent"
    arguments = (
        "--config-file /usr/share/neutron/neutron-dist.conf",
        *(f"--config-file {path}" for path in ("/etc/neutron/neutron.conf", *files)),
        f"--config-dir /etc/neutron/conf.d/common --config-dir /etc/neutron/conf.d/{name}",
        f"--log-file /var/log/neutron/{kind}-agent.log",
    )
    unit = _unit(
        name,
        "neutron",
        f"OpenStack Neutron {kind} agent",
        " ".join(arguments),
        ready=False,
        restart="on-failure",
    )
    return {f"{UNITS}/{name}.service": unit, **{path: _sample(name, "neutron") for path in files}}


ML2 = "/etc/neutron/plugins/ml2"


def _neutron_server(plugin: str) -> Text:
    return _unit(
        "neutron-server",
        "neutron",
        "OpenStack Neutron Server",
        "--config-file /usr/share/neutron/neutron-dist.conf --config-dir /usr/share/neutron/server "
        f"--config-file /etc/neutron/neutron.conf --config-file {plugin} "
        "--config-dir /etc/neutron/conf.d/common --config-dir /etc/neutron/conf.d/neutron-server "
        "--log-file /var/log/neutron/server.log",
        restart="on-failure",
    )


NEUTRON_FOLDERS = {
    **_directories("neutron"),
    **{
        f"/etc/neutron/conf.d/{name}": ("0755", "root", "root")
        for name in (
            "common",
            "neutron-server",
            "neutron-dhcp-agent",
            "neutron-l3-agent",
            "neutron-metadata-agent",
            "neutron-linuxbridge-agent",
            "neutron-openvswitch-agent",
            "neutron-lbaas-agent",
        )
    },
    "/etc/neutron/plugins/ml2": ("0755", "root", "neutron"),
    "/usr/share/neutron/server": ("0755", "root", "root"),
}
NEUTRON_FILES = {
    "/etc/neutron/neutron.conf": _sample("neutron", "neutron"),
    "/usr/share/neutron/neutron-dist.conf": _dist(
        "neutron",
        "lock_path = $state_path/lock\nuse_stderr = false\napi_paste_config = /etc/neutron/api-paste.ini\n\n"
        "[agent]\nroot_helper = sudo neutron-rootwrap /etc/neutron/rootwrap.conf\n"
        "root_helper_daemon = sudo neutron-rootwrap-daemon /etc/neutron/rootwrap.conf",
    ),
    **_agent("dhcp", "/etc/neutron/dhcp_agent.ini"),
    **_agent("l3", "/etc/neutron/l3_agent.ini"),
    **_agent("metadata", "/etc/neutron/metadata_agent.ini"),
    f"{UNITS}/neutron-server.service": _neutron_server("/etc/neutron/plugin.ini"),
}
NEUTRON = Rpm(
    "openstack-neutron",
    files=NEUTRON_FILES,
    directories=NEUTRON_FOLDERS,
    accounts=(NEUTRON_ACCOUNT,),
    provides=("openstack-neutron-common",),
    programs=True,
)
NEUTRON_ML2 = Rpm(
    "openstack-neutron-ml2",
    files={f"{ML2}/ml2_conf.ini": _sample("neutron.ml2", "neutron")},
    requires=("openstack-neutron",),
    programs=True,
)
NEUTRON_LINUXBRIDGE = Rpm(
    "openstack-neutron-linuxbridge",
    files=_agent("linuxbridge", f"{ML2}/linuxbridge_agent.ini"),
    requires=("openstack-neutron",),
    programs=True,
)
NEUTRON_OPENVSWITCH = Rpm(
    "openstack-neutron-openvswitch",
    files=_agent("openvswitch", f"{ML2}/openvswitch_agent.ini"),
    requires=("openstack-neutron",),
    programs=True,
)

NEUTRON_LBAAS = Rpm(
    "openstack-neutron-lbaas",
    files={
        **_agent("lbaas", "/etc/neutron/lbaas_agent.ini"),
        "/etc/neutron/neutron_lbaas.conf": _sample("neutron.lbaas", "neutron"),
    },
    requires=("openstack-neutron", "python-neutron-lbaas"),
    programs=True,
)


def _nova(part: str, **units: Text) -> Rpm:
    return Rpm(
        f"openstack-nova-{part}",
        files={f"{UNITS}/openstack-nova-{name}.service": unit for name, unit in units.items()},
        requires=("openstack-nova-common",),
        programs=True,
    )


def _nova_unit(process: str, ready: bool = True, arguments: str = "") -> Text:
    return _unit(f"nova-{process}", "nova", f"OpenStack Nova {process}", arguments, ready=ready)


NOVA_COMMON = Rpm(
    "openstack-nova-common",
    files={
        "/etc/nova/nova.conf": _sample("nova.conf", "nova"),
        "/etc/nova/api-paste.ini": Text("[composite:osapi_compute]\n", "0640", "root", "nova"),
        "/usr/share/nova/nova-dist.conf": _dist(
            "nova",
            "log_dir = /var/log/nova\nstate_path = /var/lib/nova\nlock_path = /var/lib/nova/tmp\n"
            "compute_driver = libvirt.LibvirtDriver\nrootwrap_config = /etc/nova/rootwrap.conf\n"
            "use_stderr = false",
        ),
    },
    directories={
        **_directories("nova"),
        "/var/lib/nova/instances": ("0755", "nova", "nova"),
        "/var/lib/nova/tmp": ("0755", "nova", "nova"),
    },
    accounts=(NOVA_ACCOUNT,),
    programs=True,
)
NOVNCPROXY = Rpm(
    "openstack-nova-novncproxy",
    files={
        "/etc/sysconfig/openstack-nova-novncproxy": Text('# OPTIONS=""\n'),
        f"{UNITS}/openstack-nova-novncproxy.service": _unit(
            "nova-novncproxy",
            "nova",
            "OpenStack Nova NoVNC Proxy Server",
            "--web /usr/share/novnc/ $OPTIONS",
            ready=False,
            before="EnvironmentFile=-/etc/sysconfig/openstack-nova-novncproxy\n",
        ),
    },
    requires=("openstack-nova-common",),
    programs=True,
)


def _compute(libvirt: str) -> Rpm:
    return Rpm(
        "openstack-nova-compute",
        files={f"{UNITS}/openstack-nova-compute.service": _nova_unit("compute")},
        requires=("openstack-nova-common", libvirt, "iscsi-initiator-utils"),
        programs=True,
    )


CINDER = Rpm(
    "openstack-cinder",
    files={
        "/etc/cinder/cinder.conf": _sample("cinder", "cinder"),
        "/usr/share/cinder/cinder-dist.conf": _dist(
            "cinder",
            "log_dir = /var/log/cinder\nstate_path = /var/lib/cinder\ntarget_helper = lioadm",
        ),
        **{
            f"{UNITS}/openstack-cinder-{process}.service": _unit(
                f"cinder-{process}",
                "cinder",
                f"OpenStack Cinder {process}",
                "--config-file /usr/share/cinder/cinder-dist.conf --config-file /etc/cinder/cinder.conf "
                f"--logfile /var/log/cinder/{process}.log",
                ready=False,
                restart="on-failure",
            )
            for process in ("api", "scheduler", "volume")
        },
    },
    directories={**_directories("cinder"), "/etc/cinder/volumes": ("0755", "cinder", "root")},
    accounts=(CINDER_ACCOUNT,),
    programs=True,
)


def _keystone(shipped: bool) -> Rpm:
    wsgi = {"/usr/share/keystone/wsgi-keystone.conf": Text(WSGI_KEYSTONE)} if shipped else {}
    log = "/var/log/keystone/keystone.log"
    return Rpm(
        "openstack-keystone",
        files={
            "/etc/keystone/keystone.conf": _sample("keystone", "keystone"),
            "/usr/share/keystone/keystone-dist.conf": _dist(
                "keystone", f"log_file = {log}\nuse_stderr = false"
            ),
            # There from the start, or root's keystone-manage makes one that httpd can't write to.
            log: Text("", "0660", "root", "keystone"),
            **wsgi,
        },
        directories=_directories("keystone"),
        accounts=(KEYSTONE_ACCOUNT,),
        programs=True,
    )


def _glance(*processes: str) -> Rpm:
    return Rpm(
        "openstack-glance",
        files={
            **{f"/etc/glance/glance-{name}.conf": _sample(f"glance.{name}", "glance") for name in processes},
            **{
                f"/usr/share/glance/glance-{name}-dist.conf": _dist(
                    "glance", f"use_stderr = false\nlog_file = /var/log/glance/{name}.log"
                )
                for name in processes
            },
            **{
                f"{UNITS}/openstack-glance-{name}.service": _unit(
                    f"glance-{name}", "glance", f"OpenStack Image Service {name}", ready=False
                )
                for name in processes
            },
        },
        directories={**_directories("glance"), "/var/lib/glance/images": ("0755", "glance", "glance")},
        accounts=(GLANCE_ACCOUNT,),
        programs=True,
    )


STUB = Rpm("openstack-stub", programs=True)

# packstack itself, as it is on PyPI: its dependencies are Debian's, and lie in the hosts' root.
PACKSTACK = Rpm(
    "openstack-packstack",
    "26.0.0",
    content=(
        "/usr/lib/python3/dist-packages/packstack",
        "/usr/lib/python3/dist-packages/packstack-26.0.0.dist-info",
        "/usr/share/packstack",
    ),
    wheel="packstack==26.0.0 --hash=sha256:2699f282474a357ff03832634bdc5ac1538bad34745bd3797749d0fdb184d35c",
    programs=True,
)

EL9 = (
    STUB,
    _keystone(shipped=True),
    _glance("api"),
    Rpm(
        "openstack-placement-common",
        files={
            "/etc/placement/placement.conf": _sample("placement", "placement"),
            "/usr/share/placement/placement-dist.conf": _dist("placement", "use_stderr = true"),
        },
        directories={
            "/etc/placement": ("0755", "root", "placement"),
            "/var/log/placement": ("0750", "placement", "placement"),
        },
        accounts=(PLACEMENT_ACCOUNT,),
    ),
    Rpm(
        "openstack-placement-api",
        files={"/etc/httpd/conf.d/00-placement-api.conf": Text(WSGI_PLACEMENT)},
        requires=("openstack-placement-common", "httpd", "python3-mod_wsgi"),
        programs=True,
    ),
    NOVA_COMMON,
    _nova("api", api=_nova_unit("api")),
    _nova("conductor", conductor=_nova_unit("conductor")),
    _nova("scheduler", scheduler=_nova_unit("scheduler")),
    NOVNCPROXY,
    _compute("libvirt-daemon-kvm"),
    NEUTRON,
    NEUTRON_ML2,
    NEUTRON_LINUXBRIDGE,
    NEUTRON_OPENVSWITCH,
    CINDER,
    _dashboard("django.wsgi", ("python3-mod_wsgi",)),
    Rpm("openstack-selinux"),
    Rpm("python3-openstackclient"),
    Rpm("python3-openstacksdk"),
    Rpm("python3-osc-placement"),
)

# Liberty's: no placement, a registry for glance, certificates and console tokens for nova.
EL7 = (
    STUB,
    _keystone(shipped=False),
    _glance("api", "registry"),
    NOVA_COMMON,
    _nova("api", api=_nova_unit("api")),
    _nova("cert", cert=_nova_unit("cert")),
    _nova("console", consoleauth=_nova_unit("consoleauth")),
    _nova("conductor", conductor=_nova_unit("conductor")),
    _nova("scheduler", scheduler=_nova_unit("scheduler")),
    NOVNCPROXY,
    _compute("libvirt-daemon-kvm"),
    NEUTRON,
    NEUTRON_ML2,
    NEUTRON_LINUXBRIDGE,
    NEUTRON_OPENVSWITCH,
    NEUTRON_LBAAS,
    CINDER,
    _dashboard("django.wsgi", ("mod_wsgi",)),
    Rpm("openstack-selinux"),
    Rpm("python-openstackclient"),
    Rpm("python-oslo-policy"),
    Rpm("python-neutron-lbaas"),
)
