"""What is declared goes, in the order that works, and nothing else."""

from __future__ import annotations

import json

from conftest import on, pyinfra, sdk, totals

TEARDOWN = "tasks/teardown.py"
FLAVORS = "print(json.dumps([flavor.name for flavor in cloud.compute.flavors()]))"


def test_without_the_name_of_the_cloud_nothing_is_removed():
    for arguments in ([], ["--data", "confirm=yes"]):
        run = pyinfra(TEARDOWN, "-y", *arguments)
        assert run.returncode != 0
        assert "--data confirm=lab" in run.output
    assert "m1.nano" in sdk(FLAVORS)


def test_it_removes_what_is_declared_and_nothing_else():
    sdk("cloud.compute.create_flavor(name='mine', ram=64, vcpus=1, disk=0)\nprint('null')")
    run = pyinfra(TEARDOWN, "-y", "--data", "confirm=lab", check=True)
    removed = [line.split("remove ", 1)[1] for line in run.output.splitlines() if "] remove " in line]
    kinds = [name.split()[0] for name in removed]
    order = ["instance", "floating", "volume", "image", "flavor", "router", "network"]
    assert [kind for kind in dict.fromkeys(kinds) if kind in order] == order
    assert sdk(FLAVORS) == ["mine"]
    sdk("cloud.compute.delete_flavor(cloud.compute.find_flavor('mine'))\nprint('null')")
    left = sdk(
        "print(json.dumps([len(list(items)) for items in (\n"
        "    cloud.compute.servers(all_projects=True), cloud.block_storage.volumes(all_projects=True),\n"
        "    cloud.image.images(), cloud.network.networks(), cloud.network.routers(), cloud.network.ips())]))"
    )
    assert json.dumps(left) == "[0, 0, 0, 0, 0, 0]"
    assert on("storage", "lvs --noheadings -o lv_name | grep volume- || true") == ""
    assert on("controller", "ip netns") == ""


def test_a_second_one_finds_nothing():
    run = pyinfra(TEARDOWN, "-y", "--data", "confirm=lab", check=True)
    assert totals(run.output)["changed"] == 0
