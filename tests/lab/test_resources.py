"""What the lab declares: refused as a whole when a part is wrong, made once, and there for a user."""

from __future__ import annotations

import json
import re
import socket

import pytest
from conftest import on, pyinfra, sdk, totals

RESOURCES = "tasks/resources.py"
# Counts of all that a run could have made.
COUNTS = """
print(json.dumps({
    "flavors": len(list(cloud.compute.flavors())),
    "images": len(list(cloud.image.images())),
    "networks": len(list(cloud.network.networks())),
    "routers": len(list(cloud.network.routers())),
    "groups": len([g for g in cloud.network.security_groups() if g.name != "default"]),
    "keypairs": len(list(cloud.compute.keypairs())),
    "volumes": len(list(cloud.block_storage.volumes(all_projects=True))),
    "instances": len(list(cloud.compute.servers(all_projects=True))),
}))
"""


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ('resources["images"][0]["file"] = "/nowhere/kernel"', "image tiny-kernel: /nowhere/kernel"),
        (f'resources["images"][2]["checksum"] = "{"0" * 64}"', "image tiny: "),
        ('resources["instances"][0]["flavor"] = "m9.huge"', "hello-instance: no such flavor: m9.huge"),
        ('resources["instances"][0]["networks"] = ["lan"]', "hello-instance: no such network: lan"),
        ('resources["instances"][0]["image"] = "cirros"', "hello-instance: no such image: cirros"),
        ('resources["networks"][0]["subnets"][0]["pools"] = [("10.9.0.1", "10.9.0.9")]', "10.9.0.1"),
        ('resources["networks"][0]["subnets"][0]["gateway"] = "10.56.1.150"', "10.56.1.150"),
        ('resources["flavors"].append(resources["flavors"][0])', "m1.nano"),
        (
            'resources["quotas"] = [{"project": "demo", "limits": {"instances": 0}}]',
            "Quota exceeded for instances: Requested 1, but already used 0 of 0",
        ),
    ],
    ids=[
        "missing file", "wrong checksum", "unknown flavor", "unknown network", "unknown image",
        "pool outside the subnet", "gateway in the pool", "name twice", "quota exceeded",
    ],
)  # fmt: skip
def test_a_wrong_part_is_one_message_and_nothing_is_made(inventory_copy, spoil, message):
    before = sdk(COUNTS)
    settings = inventory_copy.parent / "group_data" / "all.py"
    settings.write_text(f"{settings.read_text()}\n{spoil}\n")
    run = pyinfra(RESOURCES, "-y", inventory=inventory_copy)
    assert run.returncode != 0
    assert message in run.output
    assert "Traceback" not in run.output
    assert sdk(COUNTS) == before


def test_the_demo_is_made():
    run = pyinfra(RESOURCES, "-y", check=True)
    assert totals(run.output)["changed"] == 1
    # Each change has its name in the output.
    for change in ("create flavor m1.nano", "create instance hello-instance", "attach volume hello-volume"):
        assert change in run.output
    found = sdk(
        "server = cloud.get_server('hello-instance', all_projects=True)\n"
        "[volume] = cloud.block_storage.volumes(all_projects=True, name='hello-volume')\n"
        "print(json.dumps([server.status, server.compute_host, volume.status]))"
    )
    assert found == ["ACTIVE", "compute2", "in-use"]
    # Where iSCSI is real: a session on the compute host, and a logical volume that is open on storage.
    assert "10.56.0.13" in on("compute2", "iscsiadm -m session")
    assert re.search(r"volume-\S+ +\S+ao", on("storage", "lvs --noheadings -o lv_name,lv_attr"))


def test_a_second_run_changes_nothing_in_seconds():
    run = pyinfra(RESOURCES, "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output
    assert run.seconds < 10


def test_the_instance_answers_through_its_floating_ip():
    address = sdk("[address] = cloud.network.ips()\nprint(json.dumps(address.floating_ip_address))")
    with socket.create_connection((address, 22), timeout=10) as connection:
        assert connection.makefile().readline().startswith("TINY: hello-instance")


def test_the_plan_names_what_would_be_made(inventory_copy):
    settings = inventory_copy.parent / "group_data" / "all.py"
    more = 'resources["flavors"].append({"name": "m1.more", "vcpus": 1, "ram": 64})'
    settings.write_text(f"{settings.read_text()}\n{more}\n")
    planned = pyinfra(RESOURCES, "--dry", "--diff", inventory=inventory_copy, check=True)
    assert "create flavor m1.more" in planned.output
    names = sdk("print(json.dumps([flavor.name for flavor in cloud.compute.flavors()]))")
    assert "m1.more" not in json.dumps(names)
