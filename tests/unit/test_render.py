"""Rendering a cloud without hosts: the deploy's own tasks and templates, no secrets, nothing left behind."""

import copy
import sys

import clouds
import pytest

from cloud import render
from cloud.releases import AVAILABLE, agent_refusal


def rendered(inventory, cloud):
    return {host: recorder.files for host, recorder in render.render(inventory, cloud).items()}


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path)


@pytest.fixture
def files(cloud):
    return rendered(clouds.inventory(), cloud)


def test_each_host_has_the_files_of_its_roles(files):
    assert list(files) == ["controller", "compute", "storage"]
    assert "/etc/keystone/keystone.conf" in files["controller"]
    assert set(files["storage"]) == {
        "/etc/chrony/chrony.conf",
        "/etc/cinder/cinder.conf",
        "/etc/lvm/lvm.conf",
    }
    assert "a|^/dev/sdb$|" in files["storage"]["/etc/lvm/lvm.conf"]
    assert "my_ip = 192.168.56.12\n" in files["compute"]["/etc/nova/nova.conf"]


def test_the_operations_are_listed_in_their_order(tmp_path):
    cloud = clouds.cloud(tmp_path)
    found = render.render(clouds.inventory(), cloud)["controller"].operations
    wanted = [
        "packages.installed: Install the packages of the host's roles",
        "    packages: mariadb-server",
        "database.present: Create the services' databases and grants",
        "    databases: database keystone, user keystone",
        "schema.at_head: Bring glance's schema to head",
        "    commands: glance-manage db_sync",
        "service.running: Start glance",
        "    units: glance-api",
    ]
    assert [line for line in found if line in wanted] == wanted
    # What deploy.py gives its tasks is heard.
    assert any("waiting 180 seconds at most" in line for line in found)
    text = "\n".join(found)
    assert "/v3/%(project_id)s" in text
    assert [name for name, secret in cloud.secrets.items() if secret in text] == []


@pytest.mark.parametrize(
    ("platform", "release", "agent"),
    [
        (platform, release, agent)
        for platform, releases in AVAILABLE.items()
        for release in releases
        for agent in ("openvswitch", "linuxbridge")
        # Liberty needs a secret of its own: its example is rendered in test_examples.py.
        if agent_refusal(release, agent) is None and release != "liberty"
    ],
)
def test_every_platform_has_all_names_that_its_releases_need(tmp_path, platform, release, agent):
    settings = {"platform": platform, "release": release, "l2_agent": agent}
    files = rendered(clouds.inventory(**settings), clouds.cloud(tmp_path, **settings))
    assert all(f"/etc/{name}/{name}.conf" in files["controller"] for name in ("keystone", "nova", "neutron"))
    assert "/etc/cinder/cinder.conf" in files["storage"]


def test_a_file_that_only_the_host_can_complete_says_so(files):
    assert "virt_type = <VirtType of the host>\n" in files["compute"]["/etc/nova/nova-compute.conf"]


def test_the_operators_options_are_in_it(tmp_path):
    overrides = {"/etc/nova/nova.conf": {"DEFAULT": {"my_ip": "192.0.2.1", "reserved_host_disk_mb": "7"}}}
    cloud = clouds.cloud(tmp_path, config_overrides=overrides)
    text = rendered(clouds.inventory(config_overrides=overrides), cloud)["compute"]["/etc/nova/nova.conf"]
    assert "my_ip = 192.0.2.1\n" in text
    assert "reserved_host_disk_mb = 7\n" in text
    assert "192.168.56.12\nt" not in text


def test_a_hosts_own_options_are_in_its_files_only(tmp_path):
    hosts = copy.deepcopy(clouds.HOSTS)
    hosts["compute"][1]["config_overrides"] = {"/etc/nova/nova.conf": {"DEFAULT": {"debug": True}}}
    files = rendered(clouds.inventory(hosts), clouds.cloud(tmp_path, hosts))
    assert "debug = true\n" in files["compute"]["/etc/nova/nova.conf"].lower()
    assert "debug" not in files["controller"]["/etc/nova/nova.conf"]


def test_what_it_put_in_pyinfras_place_is_gone_afterwards(cloud):
    import pyinfra

    before = {name: sys.modules.get(name) for name in ("operations", "pyinfra.operations", "tasks.context")}
    local = getattr(pyinfra, "local", None)
    render.render(clouds.inventory(), cloud)
    assert {name: sys.modules.get(name) for name in before} == before
    assert getattr(pyinfra, "local", None) is local


INVENTORY = """
controller = [("controller", {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1"})]
compute = [("compute", {"ssh_hostname": "192.168.56.12", "provider_interface": "eth1"})]
storage = [("storage", {"ssh_hostname": "192.168.56.13", "volume_devices": ["/dev/sdb"]})]
"""


@pytest.fixture
def inventory(tmp_path):
    folder = tmp_path / "cloud"
    (folder / "group_data").mkdir(parents=True)
    (folder / "group_data" / "all.py").write_text(
        'release = "epoxy"\nmanagement_network = "192.168.56.0/24"\n'
    )
    (folder / "inventory.py").write_text(INVENTORY)
    return clouds.write_secrets(folder)


def written(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("shown", [False, True])
def test_secrets_are_shown_only_when_asked_for(inventory, tmp_path, capsys, shown):
    out = tmp_path / "out"
    assert render.main([str(inventory), str(out), *(["--secrets"] if shown else [])]) == 0
    assert capsys.readouterr().out == f"{out}: 39 files of 3 hosts\n"
    assert out.stat().st_mode & 0o077 == 0
    text = "\n".join(written(out).values())
    values = [
        line.split('"')[1] for line in (inventory.parent / "secrets.toml").read_text().splitlines()[3::3]
    ]
    assert len(values) == 17
    assert [value in text for value in values] == [shown] * 17
    assert ("***" in text) is not shown


def test_it_replaces_what_it_rendered_and_nothing_else(inventory, tmp_path, capsys):
    out = tmp_path / "out"
    assert render.main([str(inventory), str(out)]) == 0
    first = written(out)
    (out / "compute" / "stale").touch()
    assert render.main([str(inventory), str(out)]) == 0
    assert written(out) == first

    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter").write_text("dear")
    assert render.main([str(inventory), str(mine)]) == 1
    assert "is not empty, and was not rendered" in capsys.readouterr().err
    assert written(mine) == {"letter": "dear"}


def test_a_wrong_inventory_is_refused_as_the_deploy_does(inventory, tmp_path, capsys):
    (inventory.parent / "group_data" / "all.py").write_text('release = "epoxi"\n')
    assert render.main([str(inventory), str(tmp_path / "out")]) == 1
    assert "the inventory can't be deployed, nothing was touched" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_inventory_that_is_not_there(tmp_path, capsys):
    assert render.main([str(tmp_path / "no.py"), str(tmp_path / "out")]) == 1
    assert "no such inventory file" in capsys.readouterr().err
