"""EL 9's packages with zed's real programs, on hosts that look like CentOS: names, units, paths and httpd.

In the order in which an operator meets it: each test needs the ones before it.
"""

from __future__ import annotations

import json
import re
import urllib.request

import pytest
from conftest import copied, lab, on, pyinfra, totals
from conftest import sdk as ask_sdk

INVENTORY = "lab/el_real/inventory.py"
HOSTS = ("controller", "compute", "storage")
CONTROLLER = "10.62.0.11"
# Unit -> the host it runs on: what the original install notes' `systemctl enable` lines have, and their kin.
UNITS = {
    "controller": (
        "httpd", "openstack-glance-api", "openstack-nova-api", "openstack-nova-scheduler",
        "openstack-nova-conductor", "openstack-nova-novncproxy", "neutron-server", "neutron-dhcp-agent",
        "neutron-metadata-agent", "neutron-linuxbridge-agent", "openstack-cinder-api",
        "openstack-cinder-scheduler", "mariadb", "rabbitmq-server", "memcached", "chronyd",
    ),
    "compute": ("openstack-nova-compute", "neutron-linuxbridge-agent", "virtqemud.socket", "chronyd"),
    "storage": ("openstack-cinder-volume", "target", "chronyd"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def this_lab(monkeypatch):
    monkeypatch.setenv("OPENSTACK_LAB", "el-real")


def deploy(*arguments, **options):
    return pyinfra(*arguments, inventory=INVENTORY, **options)


def sdk(program):
    return ask_sdk(program, cloud="el-real")


def restarts(host):
    """Unit -> (whether it is enabled and active, how often systemd had to start it again)."""
    names = " ".join(UNITS[host])
    properties = "Id,UnitFileState,ActiveState,NRestarts"
    shown = on(host, f"systemctl show --property {properties} {names}").strip().split("\n\n")
    found = [dict(line.split("=", 1) for line in block.splitlines()) for block in shown]
    return {
        unit["Id"].removesuffix(".service"): (
            (unit["UnitFileState"], unit["ActiveState"]),
            int(unit.get("NRestarts") or 0),
        )
        for unit in found
    }


def test_fresh_hosts():
    lab("down", "el", "--real", check=True)
    lab("up", "el", "--real", check=True, timeout=2400)
    for host in HOSTS:
        assert 'ID="centos"' in on(host, "cat /etc/os-release").splitlines()
        assert "openstack" not in on(host, "rpm -qa | grep ^openstack || true")


def test_a_deploy():
    run = deploy("deploy.py", "-y", timeout=2400)
    assert run.returncode == 0, run.output[-8000:]
    assert re.search(r"\n\s*\d+ checks, 0 failed", run.output)


def test_a_second_run_changes_nothing():
    run = deploy("deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]
    assert run.seconds < 60


def test_the_programs_are_the_real_ones_from_packages_of_els_names():
    owners = on(
        "controller",
        "rpm -qf /usr/bin/nova-api /usr/bin/neutron-server /usr/bin/keystone-manage /usr/bin/placement-api "
        "/usr/share/openstack-dashboard/openstack_dashboard/wsgi/django.wsgi --qf '%{NAME}\\n'",
    ).split()
    assert owners == [
        "openstack-nova-api",
        "openstack-neutron",
        "openstack-keystone",
        "openstack-placement-api",
        "openstack-dashboard",
    ]
    assert on("controller", "nova-manage --version 2>/dev/null").startswith("26.")


def test_every_service_answers_through_its_api():
    found = sdk(
        "print(json.dumps({\n"
        "    'services': sorted(service.type for service in cloud.identity.services()),\n"
        "    'images': len(list(cloud.image.images())),\n"
        "    'compute': sorted((s.binary, s.host, s.state) for s in cloud.compute.services()),\n"
        "    'hypervisors': [h.name for h in cloud.compute.hypervisors()],\n"
        "    'agents': sorted((a.host, a.agent_type, a.is_alive) for a in cloud.network.agents()),\n"
        "    'networks': len(list(cloud.network.networks())),\n"
        # Zed's SDK has no call for it.
        "    'volumes': sorted((s['binary'], s['host'], s['state'])\n"
        "        for s in cloud.block_storage.get('/os-services').json()['services']),\n"
        "    'providers': [p.name for p in cloud.placement.resource_providers()],\n"
        "}))"
    )
    assert found["services"] == ["compute", "identity", "image", "network", "placement", "volumev3"]
    assert found["compute"] == [
        ["nova-compute", "compute", "up"],
        ["nova-conductor", "controller", "up"],
        ["nova-scheduler", "controller", "up"],
    ]
    assert found["hypervisors"] == found["providers"] == ["compute"]
    assert found["volumes"] == [
        ["cinder-scheduler", "controller", "up"],
        ["cinder-volume", "storage@lvm", "up"],
    ]
    assert found["agents"] == [
        ["compute", "Linux bridge agent", True],
        ["controller", "DHCP agent", True],
        ["controller", "Linux bridge agent", True],
        ["controller", "Metadata agent", True],
    ]


def test_a_volume_is_made():
    found = sdk(
        "volume = cloud.block_storage.create_volume(size=1, name='first')\n"
        "volume = cloud.block_storage.wait_for_status(volume, 'available', ['error'], wait=120)\n"
        "made = volume.status\n"
        "cloud.block_storage.delete_volume(volume)\n"
        "cloud.block_storage.wait_for_delete(volume, wait=180)\n"
        "print(json.dumps(made))"
    )
    assert found == "available"


def test_horizon_answers_in_httpd():
    with urllib.request.urlopen(f"http://{CONTROLLER}/dashboard/auth/login/", timeout=60) as page:
        assert page.status == 200
        text = page.read().decode()
    assert "OpenStack" in text
    style = re.search(r'href="(/dashboard/static/dashboard/css/[^"]+\.css)"', text)
    with urllib.request.urlopen(f"http://{CONTROLLER}{style[1]}", timeout=60) as page:
        assert page.status == 200


def test_verify_passes(tmp_path):
    report = tmp_path / "report.json"
    deploy("tasks/verify.py", "-y", "--data", f"verify_report={report}", check=True)
    checks = json.loads(report.read_text())["checks"]
    assert all(check["ok"] for check in checks)


def test_as_a_cloud_that_packstack_built(tmp_path):
    """Real APIs, by the login that packstack leaves: verify and the resources, without a secret of ours."""
    on(
        "controller",
        ". /root/admin-openrc.sh; umask 077; cat >/root/keystonerc_admin <<END\n"
        "unset OS_SERVICE_TOKEN\n"
        "    export OS_USERNAME=admin\n"
        "    export OS_PASSWORD='$OS_PASSWORD'\n"
        "    export OS_REGION_NAME=RegionOne\n"
        f"    export OS_AUTH_URL=http://{CONTROLLER}:5000/v3\n"
        "    export PS1='[\\u@\\h \\W(keystone_admin)]\\$ '\n"
        "export OS_PROJECT_NAME=admin\n"
        "export OS_USER_DOMAIN_NAME=Default\n"
        "export OS_PROJECT_DOMAIN_NAME=Default\n"
        "export OS_IDENTITY_API_VERSION=3\n"
        "END\n",
    )
    inventory = copied(INVENTORY, tmp_path)
    (tmp_path / "secrets.toml").write_text("")
    flavor = {"name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1}
    with (tmp_path / "group_data" / "all.py").open("a") as file:
        file.write(f'\ndeployed_by = "packstack"\nresources = {{"flavors": [{flavor}]}}\n')
    run = pyinfra("tasks/verify.py", "-y", inventory=inventory, check=True)
    assert "Network agents" in run.output
    assert "not in the inventory" not in run.output
    made = pyinfra("tasks/resources.py", "-y", inventory=inventory, check=True)
    assert totals(made.output)["changed"] == 1
    assert "m1.nano" in sdk("print(json.dumps([flavor.name for flavor in cloud.compute.flavors()]))")
    again = pyinfra("tasks/resources.py", "-y", inventory=inventory, check=True)
    assert totals(again.output)["changed"] == 0


def test_no_unit_was_started_again():
    for host in HOSTS:
        for unit, state in restarts(host).items():
            assert state == (("enabled", "active"), 0), (host, unit)
