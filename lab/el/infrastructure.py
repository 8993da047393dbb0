"""What OpenStack stands on, as EL's packages have it: names, units, paths, users.

The programs themselves are Debian's and lie in the hosts' root; these packages bring all that makes them
EL's. Sources: the packages of CentOS Stream 9 (mariadb-server, rabbitmq-server, memcached, chrony, httpd).
"""

from __future__ import annotations

from lab.el.rpm import UNITS, Account, Rpm, Text

# What Debian's base already holds, for the database of rpm only. A package with a script asks for /bin/sh.
BASE = {
    "bash": ("/bin/sh", "/bin/bash", "/usr/bin/sh"),
    "centos-stream-release": ("system-release", "redhat-release", "centos-release"),
    "dnf": ("yum",),
    "glibc": ("/sbin/ldconfig",),
    "gnupg2": (),
    "openssh-server": (),
    "python3": ("/usr/bin/python3",),
    "shadow-utils": (),
    "systemd": (),
}

# Debian's packages with the programs.
DEBS = (
    "apache2-bin", "apache2-utils", "bridge-utils", "chrony", "conntrack", "curl", "ebtables", "firewalld",
    "ipset", "iptables", "libapache2-mod-wsgi-py3", "lvm2", "mariadb-client", "mariadb-server", "memcached",
    "open-iscsi", "python3-amqp", "python3-cryptography", "python3-distro", "python3-docutils",
    "python3-memcache", "python3-netaddr", "python3-netifaces", "python3-openstackclient",
    "python3-openstacksdk", "python3-pbr", "python3-pymysql", "python3-rtslib-fb", "python3-yaml",
    "rabbitmq-server", "targetcli-fb", "thin-provisioning-tools",
)  # fmt: skip

CHRONY_CONF = """\
# Use public servers from the pool.ntp.org project.
pool 2.centos.pool.ntp.org iburst
driftfile /var/lib/chrony/drift
makestep 1.0 3
rtcsync
keyfile /etc/chrony.keys
leapsectz right/UTC
logdir /var/log/chrony
"""

CHRONYD = """\
[Unit]
Description=NTP client/server
After=ntpdate.service sntp.service ntpd.service
Conflicts=ntpd.service systemd-timesyncd.service

[Service]
Type=forking
PIDFile=/run/chrony/chronyd.pid
EnvironmentFile=-/etc/sysconfig/chronyd
RuntimeDirectory=chrony
ExecStart=/usr/sbin/chronyd -u chrony -f /etc/chrony.conf $OPTIONS

[Install]
WantedBy=multi-user.target
"""

MARIADB_CNF = """\
[server]
[mysqld]
datadir=/var/lib/mysql
socket=/var/lib/mysql/mysql.sock
log-error=/var/log/mariadb/mariadb.log
pid-file=/run/mariadb/mariadb.pid
[galera]
[embedded]
[mariadb]
"""

# As EL's: data are made at the first start.
MARIADB_PREPARE = """\
#!/bin/sh
[ -d /var/lib/mysql/mysql ] && exit 0
exec mariadb-install-db --rpm --user=mysql --datadir=/var/lib/mysql \\
    --auth-root-authentication-method=socket >/dev/null
"""

MARIADB = """\
[Unit]
Description=MariaDB database server
After=network.target

[Service]
Type=notify
User=mysql
Group=mysql
RuntimeDirectory=mariadb
ExecStartPre=/usr/libexec/mariadb-prepare-db-dir %n
ExecStart=/usr/sbin/mariadbd --basedir=/usr $MYSQLD_OPTS
KillSignal=SIGTERM
SendSIGKILL=no
Restart=on-abnormal
UMask=007
TimeoutSec=300
LimitNOFILE=16364

[Install]
WantedBy=multi-user.target
Alias=mysql.service
Alias=mysqld.service
"""

MEMCACHED = """\
[Unit]
Description=memcached daemon
Before=httpd.service
After=network.target

[Service]
EnvironmentFile=/etc/sysconfig/memcached
ExecStart=/usr/bin/memcached -p ${PORT} -u ${USER} -m ${CACHESIZE} -c ${MAXCONN} $OPTIONS

[Install]
WantedBy=multi-user.target
"""

MEMCACHED_SYSCONFIG = """\
PORT="11211"
USER="memcached"
MAXCONN="1024"
CACHESIZE="64"
OPTIONS="-l 127.0.0.1,::1"
"""

RABBITMQ = """\
[Unit]
Description=RabbitMQ broker
After=network.target

[Service]
Type=notify
User=rabbitmq
Group=rabbitmq
UMask=0027
NotifyAccess=all
TimeoutStartSec=600
LimitNOFILE=32768
Restart=on-failure
RestartSec=10
WorkingDirectory=/var/lib/rabbitmq
ExecStart=/usr/sbin/rabbitmq-server
ExecStop=/usr/sbin/rabbitmqctl shutdown
SuccessExitStatus=69

[Install]
WantedBy=multi-user.target
"""

HTTPD_CONF = """\
ServerRoot "/etc/httpd"
Listen 80
Include conf.modules.d/*.conf
User apache
Group apache
ServerAdmin root@localhost
PidFile /run/httpd/httpd.pid
DefaultRuntimeDir /run/httpd
<Directory />
    AllowOverride none
    Require all denied
</Directory>
DocumentRoot "/var/www/html"
<Directory "/var/www">
    AllowOverride None
    Require all granted
</Directory>
<Files ".ht*">
    Require all denied
</Files>
ErrorLog "logs/error_log"
LogLevel warn
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
LogFormat "%h %l %u %t \\"%r\\" %>s %b" common
CustomLog "logs/access_log" combined
TypesConfig /etc/mime.types
AddDefaultCharset UTF-8
IncludeOptional conf.d/*.conf
"""

# Those of EL's 00-base.conf that Debian builds.
HTTPD_MODULES = (
    "access_compat", "actions", "alias", "allowmethods", "auth_basic", "authn_core", "authn_file",
    "authz_core", "authz_groupfile", "authz_host", "authz_user", "autoindex", "deflate", "dir", "env",
    "expires", "filter", "headers", "mime", "negotiation", "reqtimeout", "rewrite", "setenvif",
    "socache_shmcb", "status", "userdir",
)  # fmt: skip

HTTPD = """\
[Unit]
Description=The Apache HTTP Server
After=network.target remote-fs.target nss-lookup.target

[Service]
Type=forking
PIDFile=/run/httpd/httpd.pid
ExecStartPre=/usr/bin/install -d -m 710 -g apache /run/httpd
Environment=LANG=C
ExecStart=/usr/sbin/httpd $OPTIONS -k start
ExecReload=/usr/sbin/httpd $OPTIONS -k graceful
KillSignal=SIGWINCH
KillMode=mixed
PrivateTmp=true

[Install]
WantedBy=multi-user.target
"""

TARGET = """\
[Unit]
Description=Restore LIO kernel target configuration
Requires=sys-kernel-config.mount
After=sys-kernel-config.mount network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/targetctl restore
ExecStop=/usr/bin/targetctl clear

[Install]
WantedBy=multi-user.target
"""

MODULAR_SOCKET = """\
[Unit]
Description=libvirt {what} socket

[Socket]
ListenStream=/run/libvirt/{daemon}-sock
Service={daemon}.service
SocketMode=0666
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""

MODULAR_SERVICE = """\
[Unit]
Description=libvirt {what} daemon
Requires={daemon}.socket

[Service]
ExecStart=/usr/bin/sleep infinity
"""


def _hollow(*names: str) -> tuple[Rpm, ...]:
    """Packages whose whole work Debian's root does under the same paths."""
    return tuple(Rpm(name) for name in names)


SYSTEM = (
    Rpm(
        "chrony",
        files={
            "/etc/chrony.conf": Text(CHRONY_CONF),
            "/etc/chrony.keys": Text("", "0640", "root", "chrony"),
            "/etc/sysconfig/chronyd": Text('OPTIONS=""\n'),
            f"{UNITS}/chronyd.service": Text(CHRONYD),
        },
        directories={
            "/var/lib/chrony": ("0750", "chrony", "chrony"),
            "/var/log/chrony": ("0750", "chrony", "chrony"),
        },
        accounts=(Account("chrony", 994, "/var/lib/chrony"),),
    ),
    *_hollow("iproute", "lvm2", "ca-certificates", "sysfsutils", "bridge-utils", "conntrack-tools"),
    *_hollow("device-mapper-persistent-data", "libvirt-client", "firewalld"),
    *_hollow("iptables", "ipset", "ebtables", "ethtool", "curl", "procps-ng", "kmod"),
)

DATABASE = (
    Rpm("mariadb", "10.5.27", files={"/etc/my.cnf": Text("[client-server]\n\n!includedir /etc/my.cnf.d\n")}),
    Rpm(
        "mariadb-server",
        "10.5.27",
        files={
            "/etc/my.cnf.d/mariadb-server.cnf": Text(MARIADB_CNF),
            "/etc/my.cnf.d/client.cnf": Text("[client]\nsocket=/var/lib/mysql/mysql.sock\n"),
            "/usr/libexec/mariadb-prepare-db-dir": Text(MARIADB_PREPARE, "0755"),
            f"{UNITS}/mariadb.service": Text(MARIADB),
        },
        directories={
            "/var/lib/mysql": ("0755", "mysql", "mysql"),
            "/var/log/mariadb": ("0750", "mysql", "mysql"),
        },
        accounts=(Account("mysql", 27, "/var/lib/mysql"),),
        requires=("mariadb",),
    ),
    Rpm(
        "memcached",
        "1.6.9",
        files={
            "/etc/sysconfig/memcached": Text(MEMCACHED_SYSCONFIG),
            f"{UNITS}/memcached.service": Text(MEMCACHED),
        },
        accounts=(Account("memcached", 993, "/run/memcached"),),
    ),
)

MESSAGING = (
    Rpm(
        "rabbitmq-server",
        "3.8.34",
        files={f"{UNITS}/rabbitmq-server.service": Text(RABBITMQ)},
        directories={
            "/etc/rabbitmq": ("0755", "root", "rabbitmq"),
            "/var/lib/rabbitmq": ("0755", "rabbitmq", "rabbitmq"),
            "/var/lib/rabbitmq/mnesia": ("0750", "rabbitmq", "rabbitmq"),
            "/var/log/rabbitmq": ("0755", "rabbitmq", "rabbitmq"),
        },
        accounts=(Account("rabbitmq", 990, "/var/lib/rabbitmq"),),
    ),
)


def _wsgi(name: str, number: str) -> Rpm:
    load = "<IfModule !wsgi_module>\n    LoadModule wsgi_module modules/mod_wsgi.so\n</IfModule>\n"
    return Rpm(
        name,
        "4.7.1",
        # The sockets of its daemons are made by root and used by others: not below the log directory.
        files={f"/etc/httpd/conf.modules.d/{number}.conf": Text(f"{load}WSGISocketPrefix run/wsgi\n")},
        requires=("httpd",),
    )


HTTPD_PACKAGE = Rpm(
    "httpd",
    "2.4.57",
    files={
        "/etc/httpd/conf/httpd.conf": Text(HTTPD_CONF),
        "/etc/mime.types": Text("text/html html\ntext/css css\napplication/javascript js\nimage/png png\n"),
        "/etc/httpd/conf.modules.d/00-base.conf": Text(
            "".join(f"LoadModule {name}_module modules/mod_{name}.so\n" for name in HTTPD_MODULES)
        ),
        "/etc/httpd/conf.modules.d/00-mpm.conf": Text(
            "LoadModule mpm_event_module modules/mod_mpm_event.so\n"
        ),
        "/usr/sbin/httpd": Text(
            '#!/bin/bash\nexec -a httpd /usr/sbin/apache2 -d /etc/httpd -f conf/httpd.conf "$@"\n', "0755"
        ),
        f"{UNITS}/httpd.service": Text(HTTPD),
    },
    directories={
        "/etc/httpd/conf.d": ("0755", "root", "root"),
        "/var/log/httpd": ("0700", "root", "root"),
        "/var/www/html": ("0755", "root", "root"),
    },
    links={
        "/etc/httpd/modules": "/usr/lib/apache2/modules",
        "/etc/httpd/logs": "/var/log/httpd",
        "/etc/httpd/run": "/run/httpd",
    },
    accounts=(Account("apache", 48, "/usr/share/httpd"),),
    provides=("httpd-mmn",),
)

NFV = _hollow("openvswitch")
CRB = _hollow("python3-pymemcache")
EPEL = _hollow("python2-pip")

STORAGE = (
    Rpm("targetcli", "2.1.57", files={f"{UNITS}/target.service": Text(TARGET)}),
    Rpm("iscsi-initiator-utils", "6.2.1"),
)

# On EL 9 a daemon for each kind of thing, started by its socket.
MODULAR_DAEMONS = {
    "virtqemud": "QEMU",
    "virtnodedevd": "node devices",
    "virtsecretd": "secrets",
    "virtstoraged": "storage",
    "virtproxyd": "proxy",
    "virtlogd": "logging",
}
LIBVIRT9 = Rpm(
    "libvirt-daemon-kvm",
    "10.0.0",
    files={
        f"{UNITS}/{daemon}.{kind}": Text(text.format(daemon=daemon, what=what))
        for daemon, what in MODULAR_DAEMONS.items()
        for kind, text in (("socket", MODULAR_SOCKET), ("service", MODULAR_SERVICE))
    },
    directories={"/etc/libvirt": ("0700", "root", "root")},
)
LIBVIRT7 = Rpm(
    "libvirt-daemon-kvm",
    "4.5.0",
    files={
        f"{UNITS}/libvirtd.service": Text(
            "[Unit]\nDescription=Virtualization daemon\n\n[Service]\nExecStart=/usr/bin/sleep infinity\n\n"
            "[Install]\nWantedBy=multi-user.target\n"
        )
    },
    directories={"/etc/libvirt": ("0700", "root", "root")},
)

# What packstack's hosts have beforehand, without a daemon of their own here.
KVM = ("qemu-kvm", "libvirt-daemon", "libvirt-daemon-driver-qemu")

EL9 = (
    *SYSTEM, *DATABASE, HTTPD_PACKAGE, *STORAGE, LIBVIRT9,
    _wsgi("python3-mod_wsgi", "10-wsgi-python3"),
    *_hollow("python3-PyMySQL", "python3-memcached", *KVM, "python3-setuptools"),
)  # fmt: skip
EL7 = (
    *SYSTEM, *DATABASE, HTTPD_PACKAGE, *STORAGE, LIBVIRT7,
    _wsgi("mod_wsgi", "10-wsgi"),
    *_hollow("MySQL-python", "python-memcached", "python2-PyMySQL", "haproxy", *KVM, "python-setuptools"),
)  # fmt: skip
