"""The stubs of the daemons and commands: what they report, what verify reads of it, and what stops them."""

import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest
import stub_hosts

pytest.importorskip("openstack", reason="needs openstacksdk")

from cloud.identity import Project, Service, User, describe, plan
from cloud.model import INTERFACES
from cloud.releases import Release
from cloud.services import services_in
from lab.el.stub import content
from lab.el.stub.openstack_stub import (
    apis,
    daemons,
    dashboard,
    keystone,
    login,
    manage,
    messaging,
    release,
    store,
)
from lab.el.stub.openstack_stub.config import Config, ConfigError
from operations.nova import CELL0, DATABASE, TRANSPORT
from operations.remote import sdk_identity, verify_api

pytestmark = pytest.mark.filterwarnings("ignore")

QUEUE = "transport_url = rabbit://openstack:secret@10.0.0.11:5672/"


@pytest.fixture
def host(tmp_path, monkeypatch, request):
    return stub_hosts.Host(tmp_path / "root", getattr(request, "param", "caracal"), monkeypatch)


def config_of(host, text):
    return Config([host.write("/etc/some.conf", text)])


def refused(function, *arguments):
    with pytest.raises(ConfigError) as end:
        function(*arguments)
    return end.value.reason


# -- the command line and the files


def test_files_are_read_as_oslo_reads_them(host):
    first = host.write("/a.conf", "[DEFAULT]\nmy_ip = 10.0.0.1\nhost=$my_ip\nname: 'x'\nlist = a,\n  b\n")
    second = host.write("/b.conf", "# a comment\n[DEFAULT]\nmy_ip = 10.0.0.2\nmy_ip = 10.0.0.3\n[other]\n")
    config = Config([first, second])
    assert [config.get("DEFAULT", name) for name in ("my_ip", "host", "name", "list", "no")] == [
        "10.0.0.3", "10.0.0.3", "x", "a, b", "",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["my_ip = 10.0.0.1\n", "[DEFAULT]\nmy_ip\n"])
def test_what_is_no_option_is_refused(host, text):
    assert "neither a section nor an option" in refused(config_of, host, text)


def test_missing_files_are_refused(host, tmp_path):
    assert "can't read" in refused(daemons.run, "nova-api", ["--config-file", str(tmp_path / "none")])
    assert "no such directory" in refused(daemons.run, "nova-api", ["--config-dir", str(tmp_path / "none")])


# -- RabbitMQ's logins


def test_a_url_of_several_servers(host):
    config = config_of(host, "[DEFAULT]\ntransport_url = rabbit://a:p%40@h1:5673,b:q@h2/v\n")
    assert messaging.servers(config) == [
        {"host": "h1:5673", "userid": "a", "password": "p@", "virtual_host": "v"},
        {"host": "h2:5672", "userid": "b", "password": "q", "virtual_host": "v"},
    ]


def test_the_old_options_are_gone_in_new_releases(host):
    old = "[oslo_messaging_rabbit]\nrabbit_host = h\nrabbit_userid = openstack\nrabbit_password = s\n"
    assert "transport_url is not set" in refused(messaging.servers, config_of(host, old))


@pytest.mark.parametrize("host", ["liberty"], indirect=True)
def test_the_old_options_of_old_releases(host):
    config = config_of(host, "[oslo_messaging_rabbit]\nrabbit_host = h\nrabbit_password = s\n")
    assert messaging.servers(config) == [
        {"host": "h:5672", "userid": "guest", "password": "s", "virtual_host": "/"}
    ]


# -- what stops a daemon


@pytest.mark.parametrize(
    ("check", "text", "reason"),
    [
        (daemons.check_neutron, "[DEFAULT]\ndebug = 1\n", "[DEFAULT] core_plugin is not set"),
        (
            daemons.check_neutron,
            "[DEFAULT]\ncore_plugin = ml2\n[ml2]\nmechanism_drivers = linuxbridge\ntype_drivers = flat\n",
            "experimental",
        ),
        (
            daemons.check_linuxbridge,
            "[linux_bridge]\nphysical_interface_mappings = provider:eth99\n",
            "Interface eth99 for physical network provider does not exist",
        ),
        (daemons.check_linuxbridge, "[vxlan]\nenable_vxlan = true\n", "[vxlan] local_ip is not set"),
        (daemons.check_linuxbridge, "[vxlan]\nenable_vxlan = maybe\n", "neither true nor false"),
        (daemons.check_interface_driver, "[DEFAULT]\n", "interface_driver is not set"),
        (daemons.check_compute, "[libvirt]\nvirt_type = xen86\n", "virt_type = xen86"),
        (daemons.check_glance, "[DEFAULT]\n", "enabled_backends is not set"),
        (daemons.backends, "[DEFAULT]\n", "enabled_backends is not set"),
        (
            daemons.backends,
            "[DEFAULT]\nenabled_backends = lvm\n[lvm]\nvolume_driver = a.LVMVolumeDriver\n",
            "target_helper",
        ),
        (apis.login_of, "[keystone_authtoken]\nauth_url = http://a\n", "auth_type is ''"),
        (
            apis.login_of,
            "[keystone_authtoken]\nauth_type = password\nauth_url = http://a\nusername = nova\n",
            "has no password, project_name, user_domain_name, project_domain_name",
        ),
    ],
)
def test_what_a_program_needs(host, check, text, reason):
    assert reason in refused(check, config_of(host, text))


def test_without_tables_a_service_does_not_start(host):
    assert "no such table" in refused(store.ready, "mysql+pymysql://glance:x@h/glance", "glance")
    manage.sync(config_of(host, "[database]\nconnection = mysql+pymysql://glance:x@h/glance\n"), "glance")
    store.ready("mysql+pymysql://glance:x@h/glance", "glance")


def test_a_database_that_is_not_there_yet_is_waited_for(host, monkeypatch):
    answers = [RuntimeError(2003, "Can't connect"), RuntimeError(1045, "Access denied"), RuntimeError(0)]
    monkeypatch.setattr(store, "opened", lambda url: (_ for _ in ()).throw(answers.pop(0)))
    monkeypatch.setattr(store.time, "sleep", lambda seconds: None)
    assert "Access denied" in refused(store.ready, "mysql+pymysql://nova:x@h/nova", "nova")
    assert len(answers) == 1


# -- Horizon


def test_horizons_page(tmp_path):
    settings = """
from django.utils.translation import gettext_lazy as _
from openstack_dashboard.settings import HORIZON_CONFIG
HORIZON_CONFIG["help_url"] = _("x")
SECRET_KEY, OPENSTACK_KEYSTONE_URL = "k", "http://a:5000/v3"
ALLOWED_HOSTS = ["127.0.0.1"]
CACHES = {"default": {"LOCATION": "127.0.0.1:%d"}}
"""
    with stub_hosts.served(None) as memcached:
        path = tmp_path / "local_settings"
        path.write_text(settings % int(memcached.rpartition(":")[2]))
        with stub_hosts.served(dashboard.Dashboard(lambda: dashboard.settings(path))) as url:
            page = url + "/auth/login/"
            with urllib.request.urlopen(page) as answer:
                assert (answer.status, b"OpenStack" in answer.read()) == (200, True)
            with pytest.raises(urllib.error.HTTPError, match="400"):
                urllib.request.urlopen(urllib.request.Request(page, headers={"Host": "other"}))
            for wrong in (settings % 1, settings % 1 + "\n  broken"):
                path.write_text(wrong)
                with pytest.raises(urllib.error.HTTPError, match="500"):
                    urllib.request.urlopen(page)


# -- commands


def nova_conf(host):
    databases = "mysql+pymysql://nova:x@10.0.0.11:3306/"
    return host.write(
        "/etc/nova/nova.conf",
        f"[DEFAULT]\n{QUEUE}\n[database]\nconnection = {databases}nova?charset=utf8\n"
        f"[api_database]\nconnection = {databases}nova_api?charset=utf8\n",
    )


def nova_manage(host, *arguments):
    return manage.run("nova-manage", ["--config-file", nova_conf(host), *arguments])


def nova_installed(host):
    """nova's schemas and cells, as the deploy makes them; its configuration."""
    assert nova_manage(host, "api_db", "sync") == 0
    assert nova_manage(host, "cell_v2", "map_cell0", "--database_connection", DATABASE % "nova_cell0") == 0
    urls = ["--database_connection", DATABASE % "nova", "--transport-url", TRANSPORT]
    assert nova_manage(host, "cell_v2", "create_cell", "--name", "cell1", *urls) == 0
    assert nova_manage(host, "db", "sync") == 0
    return Config([nova_conf(host)])


def test_novas_cells(host):
    config = nova_installed(host)
    found = store.cells(config)
    assert found["cell0"][:2] == (CELL0, "mysql+pymysql://nova:x@10.0.0.11:3306/nova_cell0?charset=utf8")
    assert found["cell1"][1:] == (
        "mysql+pymysql://nova:x@10.0.0.11:3306/nova?charset=utf8",
        "rabbit://openstack:secret@10.0.0.11:5672/",
    )
    assert nova_manage(host, "cell_v2", "create_cell", "--name", "cell1") == 2


def test_without_cell0_there_is_no_sync(host):
    nova_manage(host, "api_db", "sync")
    assert nova_manage(host, "db", "sync") == 1


def test_an_unknown_command_is_refused(host):
    with pytest.raises(SystemExit, match="2"):
        nova_manage(host, "db", "upgrade")


@pytest.mark.parametrize("host", ["liberty"], indirect=True)
def test_old_releases_have_no_cells(host):
    with pytest.raises(SystemExit, match="2"):
        nova_manage(host, "cell_v2", "map_cell0")
    assert nova_manage(host, "db", "sync") == 0


def test_keys_are_made_once_and_rotated(host, tmp_path):
    keys = tmp_path / "keys"
    conf = host.write("/etc/keystone/keystone.conf", f"[fernet_tokens]\nkey_repository = {keys}\n")
    run = ["--config-file", conf]
    assert manage.run("keystone-manage", [*run, "fernet_setup"]) == 0
    first = {path.name: path.read_bytes() for path in keys.iterdir()}
    assert sorted(first) == ["0", "1"]
    manage.run("keystone-manage", [*run, "fernet_setup"])
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == first
    # What a setup that was killed leaves.
    (keys / "1").unlink()
    manage.run("keystone-manage", [*run, "fernet_rotate"])
    assert sorted(path.name for path in keys.iterdir()) == ["0", "1"]
    assert (keys / "1").read_bytes() == first["0"]
    assert (keys / "1").stat().st_mode & 0o777 == 0o600


def test_a_check_that_fails(host, capsys, monkeypatch):
    nova_installed(host)
    monkeypatch.setattr(manage, "defaults", lambda service, files: [nova_conf(host)])
    monkeypatch.setattr(
        messaging, "connect", lambda logins: (_ for _ in ()).throw(OSError("RabbitMQ: refused"))
    )
    assert manage.status("nova-status", ["upgrade", "check"]) == 2
    output = capsys.readouterr().out
    assert "| Check: Message queue\n| Result: Failure\n| Details: RabbitMQ: refused" in output
    assert output.count("Result: Success") == 3


# -- what verify reads


class Cloud:
    """keystone and three APIs on ports of this machine, registered by the deploy's own program."""

    def __init__(self, host, keys, stack):
        self.host = host
        self.old = not release.has("bootstrap")
        application = stub_hosts.keystone_of(host, keys, v2=self.old)
        self.keystone = stack.enter_context(stub_hosts.served(application))
        with host.opened("keystone") as opened:
            keystone.Directory(opened).bootstrap("admin", stub_hosts.PASSWORDS["admin"], "admin", "admin")
        self.configs = {}
        if release.has("nova_cells"):
            nova_installed(host)
        for name in ("nova", "neutron", "cinder"):
            self.configs[name] = self.configured(name)
            if name != "nova" or not release.has("nova_cells"):
                manage.sync(self.configs[name], name)
        self.urls = {
            name: stack.enter_context(stub_hosts.served(getattr(apis, name)(config)))
            for name, config in self.configs.items()
        }
        self.register()

    def configured(self, name):
        text = f"[database]\nconnection = mysql+pymysql://{name}:x@h:3306/{name}\n"
        if name == "nova":
            text += "[api_database]\nconnection = mysql+pymysql://nova:x@h:3306/nova_api\n"
        return Config([self.host.write(f"/etc/{name}.conf", text + stub_hosts.login(self.keystone, name))])

    @property
    def admin(self):
        return {
            "auth_url": self.keystone + "/v3",
            "username": "admin",
            "password": stub_hosts.PASSWORDS["admin"],
            "project_name": "admin",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            "region_name": "RegionOne",
        }

    def register(self):
        specs = services_in(Release(release.facts()["release"]))
        urls = {"keystone": self.keystone, **self.urls}
        wanted = {
            "projects": [Project("admin"), Project("service")],
            "roles": ["admin"],
            "users": [User(name, stub_hosts.PASSWORDS[name], {"service": ["admin"]}) for name in self.urls],
            "services": [
                Service(entry.name, entry.type, "", "RegionOne", dict.fromkeys(INTERFACES, url + entry.path))
                for name, url in urls.items()
                for entry in specs[name].entries
            ],
        }
        request = {"admin": self.admin, "timeout": 0, "passwords": {}}
        actions = plan(sdk_identity.main({**request, "actions": []}), **wanted)
        sdk_identity.main(
            {**request, "actions": [{**action, "what": describe(action)} for action in actions]}
        )

    def report(self, name, host, details):
        service = daemons.DAEMONS[name].service
        url = store.url_of(self.configs[service], service)
        daemons.written(url, service, {"host": host, "program": name, "details": details})

    def verified(self):
        return verify_api.main({"admin": self.admin, "timeout": 10})


@pytest.fixture
def cloud(host, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    with ExitStack() as stack:
        yield Cloud(host, keys, stack)


def up(answer, *keys):
    return [tuple(item[key] for key in keys) for item in answer if item["up"] and item.get("age", 0) < 5]


@pytest.mark.parametrize("host", ["caracal", "liberty"], indirect=True)
def test_what_was_reported_is_what_verify_reads(cloud, monkeypatch):
    before = cloud.verified()
    assert {key: before[key] for key in before if key != "endpoints"} == {
        "nova_services": [], "hypervisors": [], "neutron_agents": [], "cinder_services": [],
        "volume_pools": [],
    }  # fmt: skip
    assert {item["status"] for item in before["endpoints"]} <= {200, 300}
    for name, host, details in (
        ("nova-conductor", "controller", {}),
        ("nova-compute", "compute", {}),
        ("neutron-dhcp-agent", "controller", {"type": "DHCP agent"}),
        ("cinder-volume", "storage@lvm", {"free_capacity_gb": 9.5}),
    ):
        cloud.report(name, host, details)
    if release.has("nova_cells"):
        assert cloud.verified()["hypervisors"] == []
        manage.discover_hosts(cloud.configs["nova"], None)
    found = cloud.verified()
    assert up(found["nova_services"], "host", "name") == [
        ("controller", "nova-conductor"),
        ("compute", "nova-compute"),
    ]
    assert up(found["hypervisors"], "host") == [("compute",)]
    assert up(found["neutron_agents"], "host", "name") == [("controller", "DHCP agent")]
    assert up(found["cinder_services"], "host", "name") == [("storage@lvm", "cinder-volume")]
    assert up(found["volume_pools"], "backend", "free") == [("storage@lvm", 9.5)]
    # A minute later, with nothing new.
    later = store.age
    monkeypatch.setattr(store, "age", lambda stamp: later(stamp) + 90)
    found = cloud.verified()
    for part in ("nova_services", "hypervisors", "neutron_agents", "cinder_services", "volume_pools"):
        assert not up(found[part], "up"), part


def test_a_wrong_service_password_shows(cloud):
    with cloud.host.opened("keystone") as opened:
        directory = keystone.Directory(opened)
        user = directory.all("user", name="neutron")[0]
        directory.put("user", {**user, "password": "another"})
    found = cloud.verified()
    assert {item["status"] for item in found["endpoints"] if item["service"] == "neutron"} == {503}
    assert {item["status"] for item in found["endpoints"] if item["service"] == "nova"} == {200}
    assert "error" in found["neutron_agents"]
    with pytest.raises(login.LoginError, match=r"\[keystone_authtoken\] neutron can't log in"):
        daemons.log_in(daemons.DAEMONS["neutron-server"], cloud.configs["neutron"])


def test_every_section_with_a_login_is_tried(cloud):
    right = stub_hosts.login(cloud.keystone, "cinder")
    wrong = stub_hosts.login(cloud.keystone, "nova", "nova").replace("pass-nova", "pass-Nova")
    daemons.log_in(daemons.DAEMONS["cinder-volume"], config_of(cloud.host, right))
    with pytest.raises(login.LoginError, match=r"\[nova\] nova can't log in"):
        daemons.log_in(daemons.DAEMONS["cinder-volume"], config_of(cloud.host, right + wrong))


def test_a_token_is_asked_for_and_checked(cloud):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(cloud.urls["nova"] + "/v2.1/os-services")
    request = urllib.request.Request(cloud.urls["nova"] + "/v2.1/os-services", headers={"X-Auth-Token": "x"})
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request)


def test_the_metadata_agent_and_nova_share_a_secret(host):
    shared = "[neutron]\nservice_metadata_proxy = true\nmetadata_proxy_shared_secret = one\n"
    with stub_hosts.served(apis.Metadata(config_of(host, shared))) as url:
        address, port = url[7:].split(":")
        agent = f"[DEFAULT]\nnova_metadata_host = {address}\nnova_metadata_port = {port}\n"
        config = config_of(host, agent + "metadata_proxy_shared_secret = one\n")
        assert daemons.use_metadata(config) == {"type": "Metadata agent"}
        with pytest.raises(urllib.error.HTTPError, match="403"):
            daemons.use_metadata(config_of(host, agent + "metadata_proxy_shared_secret = two\n"))


# -- which package has what


@pytest.mark.parametrize("name", content.PYTHON)
def test_the_migrations_are_where_the_deploy_looks(name):
    found = {
        schema.database: schema.versions
        for service in services_in(Release(name)).values()
        for schema in service.schemas
    }
    assert found == {database: (tree,) for database, (_, tree, _) in content.TREES[name].items()}


@pytest.mark.parametrize("name", content.PYTHON)
def test_every_program_is_known_to_the_stub(name):
    known = {*daemons.DAEMONS, *manage.COMMANDS, "cinder-rootwrap", "packstack"}
    files = {path for package in content.PROGRAMS for path in content.programs(package, name)}
    programs = {path.removeprefix("/usr/bin/") for path in files if path.startswith("/usr/bin/")}
    checks = {spec.status_command for spec in services_in(Release(name)).values()} - {""}
    wsgi = {path.removeprefix("/usr/bin/") for paths in content.WSGI.values() for path in paths}
    assert programs - wsgi - checks <= known
    assert checks <= programs
    assert ("nova-cert" in programs) == (name == "liberty")


def test_files_compile_and_no_two_packages_share_one():
    paths = []
    for package in (content.COMMON, *content.PROGRAMS):
        for path, file in content.programs(package, "caracal").items():
            paths.append(path)
            if file.text.startswith(("#!", "from", '"""')):
                compile(file.text, path, "exec")
    assert len(paths) == len(set(paths))
