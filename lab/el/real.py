"""Which of Debian's packages hold what EL's packages of OpenStack hold: the real programs. Pure.

Debian 12 packages Zed, the first release that RDO packages for EL 9. Names, units, accounts and layout are
those of ``openstack.py``; here stands where the content of each package comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lab.el import infrastructure, openstack
from lab.el.rpm import UNITS, Rpm, Text

PYTHON = "/usr/lib/python3/dist-packages"
DASHBOARD = openstack.DASHBOARD

# Debian fills options in ("region_name = regionOne"), where EL's samples have comments only.
SAMPLES = (r"(?m)^(?=[A-Za-z_][\w.]* *=)", "#")


@dataclass(frozen=True)
class Content:
    """What lies in a package of EL's.

    Attributes:
        debs: Debian's packages, of which it has all files that no other package takes; what they have below
            :data:`PYTHON` is the library's.
        library: EL's package for the Python modules of ``debs``.
        taken: path on EL -> path of a file in any of Debian's packages.
        trees: the same for whole folders.
        group: may read what is taken below /etc, where ``openstack.py`` does not say who may.
        edits: path on EL -> regular expressions, and what they become.
    """

    debs: tuple[str, ...] = ()
    library: str = ""
    taken: dict[str, str] = field(default_factory=dict)
    trees: dict[str, str] = field(default_factory=dict)
    group: str = ""
    edits: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def _service(
    service: str,
    debs: tuple[str, ...],
    samples: dict[str, str],
    others: dict[str, str] | None = None,
    trees: dict[str, str] | None = None,
) -> Content:
    """A package of a service: its samples, whose active lines become comments, other files, and folders."""
    return Content(
        debs=(*debs, f"python3-{service}"),
        library=f"python3-{service}",
        taken={**samples, **(others or {})},
        trees=trees or {},
        group=service,
        edits=dict.fromkeys(samples, (SAMPLES,)),
    )


def _from(folder: str, etc: str, *names: str) -> dict[str, str]:
    return {f"{etc}/{name}": f"{folder}/{name}" for name in names}


def _rights(service: str, sudoers: str, filters: str) -> dict[str, str]:
    """What lets a service become root: RDO has the filters below /usr/share."""
    return {
        f"/etc/{service}/rootwrap.conf": f"/etc/{service}/rootwrap.conf",
        f"/etc/sudoers.d/{service}": f"/etc/sudoers.d/{sudoers}",
        f"/usr/share/{service}/rootwrap/{filters}": f"/etc/{service}/rootwrap.d/{filters}",
    }


def _program(*names: str) -> dict[str, str]:
    return {f"/usr/bin/{name}": f"/usr/bin/{name}" for name in names}


CONTENTS: dict[str, Content] = {
    "openstack-keystone": _service(
        "keystone", ("keystone",), _from("/usr/share/keystone", "/etc/keystone", "keystone.conf")
    ),
    "openstack-glance": _service(
        "glance",
        ("glance-common", "glance-api"),
        _from("/usr/share/glance-common", "/etc/glance", "glance-api.conf"),
        _from("/usr/share/glance-common", "/etc/glance", "glance-api-paste.ini", "schema-image.json"),
        {"/etc/glance/metadefs": "/usr/share/glance-common/metadefs"},
    ),
    "openstack-placement-common": _service(
        "placement",
        ("placement-common",),
        _from("/usr/share/placement-common", "/etc/placement", "placement.conf"),
    ),
    "openstack-placement-api": Content(taken=_program("placement-api")),
    "openstack-nova-common": _service(
        "nova",
        ("nova-common",),
        _from("/usr/share/nova-common", "/etc/nova", "nova.conf"),
        {
            **_from("/usr/share/nova-common", "/etc/nova", "api-paste.ini"),
            **_rights("nova", "nova-common", "compute.filters"),
        },
    ),
    "openstack-nova-api": Content(("nova-api",)),
    "openstack-nova-conductor": Content(("nova-conductor",)),
    "openstack-nova-scheduler": Content(("nova-scheduler",)),
    "openstack-nova-novncproxy": Content(taken=_program("nova-novncproxy")),
    "openstack-nova-compute": Content(
        ("nova-compute",),
        taken=_from("/etc/nova", "/etc/nova", "nova-compute.conf"),
        group="nova",
        edits={"/etc/nova/nova-compute.conf": (SAMPLES,)},
    ),
    "openstack-neutron": _service(
        "neutron",
        ("neutron-common",),
        {
            **_from(
                "/usr/share/neutron-common", "/etc/neutron", "neutron.conf", "dhcp_agent.ini", "l3_agent.ini"
            ),
            **_from("/usr/share/neutron-metadata-agent", "/etc/neutron", "metadata_agent.ini"),
        },
        {
            **_from("/usr/share/neutron-common", "/etc/neutron", "api-paste.ini"),
            **_rights("neutron", "neutron_sudoers", "rootwrap.filters"),
        },
    ),
    "openstack-neutron-ml2": Content(
        taken=_from("/usr/share/neutron-common/plugins/ml2", openstack.ML2, "ml2_conf.ini"),
        edits={f"{openstack.ML2}/ml2_conf.ini": (SAMPLES,)},
    ),
    "openstack-neutron-linuxbridge": Content(
        ("neutron-linuxbridge-agent",),
        taken={
            **_from(openstack.ML2, openstack.ML2, "linuxbridge_agent.ini"),
            **_program("neutron-linuxbridge-agent", "neutron-linuxbridge-cleanup"),
        },
        edits={f"{openstack.ML2}/linuxbridge_agent.ini": (SAMPLES,)},
    ),
    "openstack-neutron-openvswitch": Content(
        taken={
            **_from("/usr/share/neutron-common/plugins/ml2", openstack.ML2, "openvswitch_agent.ini"),
            **_program("neutron-openvswitch-agent", "neutron-ovs-cleanup"),
        },
        edits={f"{openstack.ML2}/openvswitch_agent.ini": (SAMPLES,)},
    ),
    "openstack-cinder": _service(
        "cinder",
        ("cinder-common", "cinder-api", "cinder-scheduler", "cinder-volume"),
        _from("/usr/share/cinder-common", "/etc/cinder", "cinder.conf"),
        {
            **_from("/usr/share/cinder-common", "/etc/cinder", "api-paste.ini"),
            **_rights("cinder", "cinder-common", "volume.filters"),
        },
    ),
    "openstack-dashboard": Content(
        ("openstack-dashboard", "python3-django-horizon"),
        library="python3-django-horizon",
        taken={
            openstack.SETTINGS: f"{DASHBOARD}/examples/local_settings.py",
            **_from(
                "/etc/openstack-dashboard/policy",
                "/etc/openstack-dashboard",
                *(
                    f"{service}_policy.yaml"
                    for service in ("cinder", "glance", "keystone", "neutron", "nova")
                ),
            ),
        },
        trees={
            # RDO moves the site out of Python's folder.
            f"{DASHBOARD}/openstack_dashboard": f"{PYTHON}/openstack_dashboard",
            f"{DASHBOARD}/openstack_dashboard/themes": f"{DASHBOARD}/themes",
            **_from(
                "/etc/openstack-dashboard/policy",
                "/etc/openstack-dashboard",
                "default_policies",
                "nova_policy.d",
            ),
        },
        group="apache",
        edits={
            openstack.SETTINGS: (
                # RDO's package makes one when it is installed; Debian's code keeps one in a file.
                (r"(?m)^SECRET_KEY = .*\n.*$", "SECRET_KEY = 'the package makes one'"),
                (
                    r"\Z",
                    "WEBROOT = '/dashboard/'\n"
                    "ALLOWED_HOSTS = ['horizon.example.com', 'localhost']\n"
                    "COMPRESS_OFFLINE = True\n"
                    "POLICY_FILES_PATH = '/etc/openstack-dashboard'\n",
                ),
            ),
        },
    ),
    "novnc": Content(("novnc",)),
}

# Debian's own ways: uWSGI, System V's scripts, its units, and what only its package scripts read.
DROPPED = (
    "/etc/apparmor.d", "/etc/apache2", "/etc/init.d", "/etc/logrotate.d", "/etc/policy.d", "/etc/tgt",
    "/etc/cinder/cinder-api-uwsgi.ini", "/etc/glance/glance-api-uwsgi.ini", "/etc/glance/policy.d",
    "/etc/keystone/keystone-uwsgi.ini", "/etc/keystone/policy.d", "/etc/neutron/policy.d",
    "/etc/nova/nova-api-metadata-uwsgi.ini", "/etc/nova/nova-api-uwsgi.ini", "/etc/nova/policy.d",
    "/etc/openstack-dashboard", "/etc/placement", "/usr/bin/nova-serialproxy",
    "/usr/bin/nova-spicehtml5proxy", "/usr/lib/systemd", "/usr/lib/tmpfiles.d", "/usr/share/ansible",
    "/usr/share/apport", "/usr/share/cinder-common", "/usr/share/doc", "/usr/share/doc-base",
    "/usr/share/glance-common", "/usr/share/keystone/keystone.conf", "/usr/share/lintian", "/usr/share/man",
    "/usr/share/neutron-common", "/usr/share/neutron-metadata-agent", "/usr/share/nova-common",
    "/usr/share/nova-consoleproxy", "/usr/share/openstack-dashboard-debian-settings.d",
    "/usr/share/placement-common", "/usr/share/python3", f"{DASHBOARD}/examples", f"{DASHBOARD}/wsgi.py",
)  # fmt: skip

# Packages that are not wanted as a whole: some of their files are named above, or what they depend on is
# needed.
ONLY_TAKEN_FROM = (
    "neutron-dhcp-agent", "neutron-l3-agent", "neutron-metadata-agent", "nova-compute-qemu",
    "nova-consoleproxy",
)  # fmt: skip

DJANGO_WSGI = """\
import os
import sys

from django.core.wsgi import get_wsgi_application

sys.path.insert(0, os.path.realpath(os.path.join(os.path.dirname(__file__), "../..")))
os.environ["DJANGO_SETTINGS_MODULE"] = "openstack_dashboard.settings"
application = get_wsgi_application()
"""

# RDO's: before each start of the web server, Horizon's static files are made anew.
HTTPD_DROP_IN = f"""\
[Unit]
After=memcached.service

[Service]
ExecStartPre=/usr/bin/python3 {DASHBOARD}/manage.py collectstatic --noinput --clear
ExecStartPre=/usr/bin/python3 {DASHBOARD}/manage.py compress --force
TimeoutStartSec=5min
"""

# What Debian's packages have not, by EL's package.
ADDED: dict[str, dict[str, Text]] = {
    "openstack-dashboard": {
        f"{DASHBOARD}/openstack_dashboard/wsgi/django.wsgi": Text(DJANGO_WSGI),
        f"{DASHBOARD}/openstack_dashboard/local/enabled/__init__.py": Text(""),
        f"{UNITS}/httpd.service.d/openstack-dashboard.conf": Text(HTTPD_DROP_IN),
    },
}

# EL 9's libvirt has a daemon for each kind of thing, Debian 12's one for all. It stands behind the name of
# the one that matters, at that one's socket, where the client library looks first. The others only listen.
LIBVIRT_UNITS = {
    f"{UNITS}/virtqemud.socket": """\
[Unit]
Description=libvirt QEMU socket

[Socket]
ListenStream=/run/libvirt/virtqemud-sock
# By this name libvirtd knows it.
FileDescriptorName=libvirtd.socket
Service=virtqemud.service
SocketMode=0666
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
""",
    f"{UNITS}/virtqemud.service": """\
[Unit]
Description=libvirt QEMU daemon
Requires=virtqemud.socket
Wants=virtlogd.socket
After=virtqemud.socket virtlogd.socket

[Service]
Type=notify
ExecStart=/usr/sbin/libvirtd --config /etc/libvirt/virtqemud.conf --timeout 120
Restart=on-failure
# The guests outlive the daemon.
KillMode=process
LimitNOFILE=8192
TasksMax=32768
""",
    f"{UNITS}/virtlogd.service": """\
[Unit]
Description=libvirt logging daemon
Requires=virtlogd.socket

[Service]
Type=notify
ExecStart=/usr/sbin/virtlogd
KillMode=process
""",
}
VIRTQEMUD_CONF = """\
# On EL polkit lets nova in; the lab's hosts have none.
auth_unix_rw = "none"
auth_unix_ro = "none"
"""
LIBVIRT = replace(
    infrastructure.LIBVIRT9,
    files={
        **infrastructure.LIBVIRT9.files,
        **{path: Text(text) for path, text in LIBVIRT_UNITS.items()},
        "/etc/libvirt/virtqemud.conf": Text(VIRTQEMUD_CONF),
    },
)

# Debian's packages with programs that Debian's root lends to these hosts, beside OpenStack's dependencies.
PROGRAMS = ("dnsmasq-base", "libvirt-clients", "libvirt-daemon-system", "qemu-system-x86", "qemu-utils")
# Needed by Debian's packages for Debian's ways only.
UNWANTED = ("apparmor", "dbconfig-common", "openstack-pkg-tools", "uwsgi-core", "uwsgi-plugin-python3")

# RDO's oslo.config reads the package's own defaults, below /usr/share, before what is in /etc.
DIST_CONF = """\
python3 - <<'END'
import pathlib

path = pathlib.Path("/usr/lib/python3/dist-packages/oslo_config/cfg.py")
text = path.read_text()
old = "    return _find_config_files(project, prog, extension)\\n"
assert old in text, "oslo.config has changed: see lab/el/real.py"
new = '''    names = [project, prog or os.path.basename(sys.argv[0])]
    dist = ["/usr/share/%s/%s-dist%s" % (project, name, extension) for name in names]
    return [x for x in dist if os.access(x, os.R_OK)] + _find_config_files(project, prog, extension)
'''
path.write_text(text.replace(old, new, 1))
END
python3 -m compileall -q /usr/lib/python3/dist-packages/oslo_config
"""


def debs() -> tuple[str, ...]:
    """Debian's packages of OpenStack's services, whose files go into EL's packages."""
    named = (deb for content in CONTENTS.values() for deb in content.debs)
    return tuple(sorted({*named, *ONLY_TAKEN_FROM}))


def system(table: Iterable[Rpm] = infrastructure.EL9) -> tuple[Rpm, ...]:
    """EL's own packages, with a libvirt that runs guests."""
    return tuple(LIBVIRT if package.name == LIBVIRT.name else package for package in table)


def packages(table: Iterable[Rpm] = openstack.EL9) -> tuple[Rpm, ...]:
    """EL's packages of OpenStack, as ``table`` has them, for the real programs; with their libraries.

    The content of what is taken from Debian is not here: such a file has an empty text.
    """
    known = {package.name: package for package in table if package != openstack.STUB}
    found = {name: _real(known.get(name, Rpm(name)), CONTENTS.get(name)) for name in (*known, *CONTENTS)}
    libraries = [Rpm(content.library) for content in CONTENTS.values() if content.library]
    return (*found.values(), *libraries)


def _real(package: Rpm, content: Content | None) -> Rpm:
    """One package: who may read what it takes below /etc, and what more it needs."""
    if content is None:
        return package
    taken = {
        path: replace(package.files.get(path, _attributes(path, content)), text="")
        for path in content.taken
        if path.startswith("/etc/")
    }
    requires = [content.library] if content.library else []
    accounts = package.accounts
    if package.name == "openstack-nova-novncproxy":
        requires.append("novnc")
    if package.name == "openstack-nova-compute":
        accounts = (*accounts, replace(openstack.NOVA_ACCOUNT, groups=("libvirt", "kvm")))
    return replace(
        package,
        files={**package.files, **taken, **ADDED.get(package.name, {})},
        requires=(*package.requires, *requires),
        accounts=accounts,
        debs=content.debs,
    )


def _attributes(path: str, content: Content) -> Text:
    if path.startswith("/etc/sudoers.d/"):
        return Text("", "0440")
    return Text("", "0640", "root", content.group or "root")
