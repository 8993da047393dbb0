"""Who does which work, for every combination of groups; and the pictures of it."""

import itertools
import re
import shutil
from pathlib import Path

import pytest

from cloud import inputs, render, secrets, topology
from cloud.topology import EXTRA, OPTIONAL, REQUIRED, ROLES, picture, roles_of, work_of

ROOT = Path(__file__).parents[2]
CHOICES = [
    chosen for count in range(5) for chosen in itertools.combinations((*OPTIONAL, *EXTRA), count)
]  # of groups that may be empty


def groups_with(chosen):
    """A host in each of the groups that there always are, and in the chosen ones; two load balancers."""
    groups = {role: [role] for role in (*REQUIRED, *chosen)}
    return groups | ({"loadbalancer": ["lb1", "lb2"]} if "loadbalancer" in chosen else {})


def drawn(text):
    """(names of the hosts, arrows as (sources, target, label)) of a picture."""
    ids = dict(re.findall(r'^    (host\d+)\["<b>([^<]*)</b>', text, re.MULTILINE))
    found = []
    for sources, label, target in re.findall(
        r"^    (.+?) (?:<?-->|---|-\.-)\|(.+)\| (\S+)$", text, re.MULTILINE
    ):
        found.append(({ids.get(name, name) for name in sources.split(" & ")}, ids.get(target, target), label))
    return set(ids.values()), found


def test_there_are_sixteen_combinations():
    assert len(set(CHOICES)) == 2 ** len(OPTIONAL + EXTRA) == 16


@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_work_falls_to_the_controllers_where_nobody_is_there_for_it(chosen):
    groups = groups_with(chosen)
    work = work_of(groups)
    assert set(work) == set(ROLES)
    for role in REQUIRED:
        assert work[role] == groups[role]
    for role in OPTIONAL:
        assert work[role] == ([role] if role in chosen else ["controller"])
    for role in EXTRA:
        assert work[role] == groups.get(role, [])
    assert roles_of("controller", work) == {"controller", *(set(OPTIONAL) - set(chosen))}
    assert roles_of("compute", work) == {"compute"}


@pytest.mark.parametrize("chosen", CHOICES, ids="+".join)
def test_a_picture_has_every_host_and_who_asks_whom(chosen):
    work = work_of(groups_with(chosen))
    hosts = [host for role in ROLES for host in groups_with(chosen).get(role, [])]
    balanced = "loadbalancer" in chosen
    text = picture(work, dict.fromkeys(hosts, "10.0.0.1"), "10.0.0.9" if balanced else "")
    names, arrows = drawn(text)
    assert names == set(hosts)
    assert not [arrow for arrow in arrows if arrow[1] in arrow[0]]
    [front] = {target for sources, target, _ in arrows if sources == {"users"}}
    assert front == ("address" if balanced else "controller")
    data = "MariaDB, RabbitMQ, memcached"
    [(asking, holder)] = [(sources, target) for sources, target, label in arrows if data in label]
    assert holder == ("database" if "database" in chosen else "controller")
    assert asking == (
        {"lb1", "lb2"} if balanced else {host for host in hosts if host not in (holder, "database")}
    )
    assert ({"compute"}, "storage", "iSCSI") in arrows or "storage" not in chosen
    network = "network" if "network" in chosen else "controller"
    assert ({"compute"}, network, "VXLAN") in arrows


def test_one_host_asks_nobody():
    work = work_of({"controller": ["one"], "compute": ["one"], "storage": ["one"]})
    names, arrows = drawn(picture(work, {"one": "10.0.0.1"}, provider=["one"]))
    assert names == {"one"}
    assert [label for _, _, label in arrows] == ["APIs, Horizon, consoles", "instances' traffic"]


def test_storage_on_a_compute_host_is_asked_by_the_others():
    work = work_of({"controller": ["c"], "compute": ["a", "b"], "storage": ["b", "s"]})
    _, arrows = drawn(picture(work, dict.fromkeys("cabs", "10.0.0.1"), self_service=False))
    assert [(sources, target) for sources, target, label in arrows if label == "iSCSI"] == [
        ({"a"}, "b"),
        ({"a", "b"}, "s"),
    ]
    assert "VXLAN" not in {label for _, _, label in arrows}


def test_the_page_has_the_pictures_that_the_program_prints(capsys):
    page = (ROOT / "docs" / "topologies.md").read_text()
    examples = re.findall(r"python -m cloud\.topology (examples/\S+/inventory\.py)", page)
    assert len(examples) == 4
    pictures = re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)
    for example, found in zip(examples, pictures, strict=True):
        assert topology.main([example]) == 0
        assert found == capsys.readouterr().out, f"run: python -m cloud.topology {example}"


def test_an_inventory_that_is_not_there(capsys):
    assert topology.main(["nowhere.py"]) == 1
    assert "no such inventory file: nowhere.py" in capsys.readouterr().err


def test_a_host_without_an_address(tmp_path, capsys):
    inventory = tmp_path / "inventory.py"
    inventory.write_text('controller = ["one"]\ncompute = ["one"]\n')
    assert topology.main([str(inventory)]) == 1
    assert capsys.readouterr().err == "one: no address, and no ssh_hostname that is one\n"


@pytest.mark.parametrize("example", ["all-in-one", "three-hosts", "epoxy-load-balanced", "three-controllers"])
def test_an_example_can_be_deployed(example, tmp_path):
    cloud = inputs.read(*copied(example, tmp_path))
    rendered = render.render(render.inventory_at(str(tmp_path / "inventory.py")), cloud)
    assert set(rendered) == set(cloud.nodes)


def copied(example, folder):
    """(inventory, its path) of an example's copy, with secrets."""
    shutil.copytree(ROOT / "examples" / example, folder, dirs_exist_ok=True)
    path = str(folder / "inventory.py")
    assert secrets.main([path]) == 0
    return render.inventory_at(path), path
