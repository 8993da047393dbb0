"""The original install notes' systems come out of today's templates, option by option.

The golden files hold what the notes show, typed from them; a comment ``# notes:`` above a line has what they
show where they are mistyped. What is rendered beyond that is listed in ``additions.txt``, with its reason.
caracal-el9 is no note's: its ``steps.toml`` holds what the installation guides do.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
from pyinfra.api import State
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory

from cloud import inputs, render
from cloud.identity import registration

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
EXAMPLES = sorted(path.parent.name for path in GOLDEN.glob("*/additions.txt"))
INI = re.compile(r"/etc/(keystone|glance|nova|neutron|cinder|my\.cnf\.d)/.*\.(conf|ini|cnf)")


def options(text: str) -> dict[str, str]:
    """An INI file as "[section] option" -> value, read without the project's own parser."""
    found, section = {}, ""
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line
        else:
            name, _, value = line.partition("=")
            key = f"{section} {name.strip()}"
            assert key not in found, f"{key} is there twice"
            found[key] = value.strip()
    return found


def python(text: str) -> dict[str, str]:
    """Settings of Horizon: name -> value. Its own names stand for their values."""
    names: dict[str, object] = {}
    exec(compile(ast.parse(text), "local_settings", "exec"), {}, names)
    return {name: json.dumps(value, sort_keys=True) for name, value in names.items()}


def words(text: str) -> dict[str, str]:
    """Any other file: its lines, without blanks and comments; the same line twice counts once."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return {line: "" for line in lines if line and not line.startswith("#")}


def read(path: str, text: str) -> dict[str, str]:
    if INI.fullmatch(path):
        return options(text)
    return python(text) if path.endswith("local_settings") else words(text)


def same(found: str, wanted: str) -> bool:
    """Booleans are the same in any case."""
    return found == wanted or (wanted.lower() in ("true", "false") and found.lower() == wanted.lower())


@pytest.fixture(scope="module", params=EXAMPLES)
def compared(request, tmp_path_factory):
    """(example, missing, different, extra), each a list of "HOST PATH: option"."""
    folder = tmp_path_factory.mktemp("rendered") / "out"
    assert render.main([f"examples/{request.param}/inventory.py", str(folder), "--secrets"]) == 0
    missing, different, extra = [], [], []
    for file in sorted((GOLDEN / request.param).rglob("*")):
        if not file.is_file() or file.parent == GOLDEN / request.param:
            continue
        where = file.relative_to(GOLDEN / request.param)
        path = "/" + "/".join(where.parts[1:])
        place = f"{where.parts[0]} {path}"
        if not (folder / where).exists():
            missing.append(place)
            continue
        wanted, found = read(path, file.read_text()), read(path, (folder / where).read_text())
        if path.endswith("chrony.conf"):
            # The notes' words, and more of them.
            found = {next((name for name in wanted if line.startswith(name)), line): "" for line in found}
        missing += [f"{place}: {name}" for name in wanted if name not in found]
        different += [
            f"{place}: {name} = {found[name]}, the notes have {value}"
            for name, value in wanted.items()
            if name in found and not same(found[name], value)
        ]
        extra += [f"* {path}: {name}" for name in found if name not in wanted]
    return request.param, missing, different, extra


def test_every_option_of_the_notes_is_rendered(compared):
    _, missing, _, _ = compared
    assert missing == []


def test_with_the_value_that_the_notes_show(compared):
    _, _, different, _ = compared
    assert different == []


def test_what_is_added_is_listed_with_its_reason(compared):
    example, _, _, extra = compared
    listed = [
        line
        for line in (GOLDEN / example / "additions.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert sorted(set(extra)) == sorted(listed)


@pytest.fixture(params=sorted(path.parent.name for path in GOLDEN.glob("*/steps.toml")))
def steps(request):
    """(what the notes do besides writing files, the cloud, its operations by host)."""
    path = f"examples/{request.param}/inventory.py"
    with ctx_state.use(State()):
        inventory = make_inventory(path, cwd=str(ROOT))
    cloud = inputs.read(inventory, path)
    notes = tomllib.loads((GOLDEN / request.param / "steps.toml").read_text())
    return notes, cloud, {host: found.operations for host, found in render.render(inventory, cloud).items()}


def arguments(operations, operation, key):
    """The values of an argument of every call of an operation, in their order."""
    found, current = [], ""
    for line in operations:
        if not line.startswith(" "):
            current = line.partition(":")[0]
        elif current == operation and line.startswith(f"    {key}: "):
            found.append(line.partition(": ")[2])
    return found


def test_the_packages_of_every_host_are_the_notes(steps):
    notes, _, operations = steps
    for host, wanted in notes["packages"].items():
        assert set(wanted) - set(arguments(operations[host], "packages.installed", "packages")) == set(), host


def test_every_unit_of_the_notes_is_started(steps):
    notes, _, operations = steps
    for host, wanted in notes["units"].items():
        assert set(wanted) - set(arguments(operations[host], "service.running", "units")) == set(), host


def test_databases_and_schema_commands_come_in_the_notes_order(steps):
    notes, cloud, operations = steps
    databases = arguments(operations[cloud.first("database").name], "database.present", "databases")
    assert sorted(line.split(",")[0].split()[1] for line in databases) == sorted(notes["databases"]["names"])
    found = arguments(operations[cloud.first("controller").name], "schema.at_head", "commands")
    # cinder is earlier here: its driver takes long to start.
    order = [command for command in found if not command.startswith("cinder")]
    assert order == [command for command in notes["databases"]["commands"] if command in order]
    assert sorted(found) == sorted(notes["databases"]["commands"])


def test_users_roles_and_projects_are_the_notes(steps):
    notes, cloud, _ = steps
    entries = [registration(cloud, name) for name in cloud.services]
    users = {user.name: user.roles for entry in entries for user in entry["users"]}
    assert users == notes["identity"]["users"]
    assert sorted(project.name for project in entries[0]["projects"]) == sorted(notes["identity"]["projects"])
    assert entries[0]["roles"] == notes["identity"]["roles"]


def test_the_catalog_is_the_notes(steps):
    notes, cloud, _ = steps
    found = {
        f"{service.name} {service.type}": list(service.endpoints.values())
        for name in cloud.services
        for service in registration(cloud, name)["services"]
    }
    assert found == notes["endpoints"]


def test_packstacks_ten_answers_end_where_the_notes_want_them(tmp_path):
    """packstack-osp10: of its files the notes show none. Its translation is held in test_answers.py."""
    assert render.main(["examples/packstack-osp10/inventory.py", str(tmp_path / "out"), "--secrets"]) == 0

    def file(host, path):
        return read(path, (tmp_path / "out" / host / path.lstrip("/")).read_text())

    ml2 = file("openstack", "/etc/neutron/plugins/ml2/ml2_conf.ini")
    assert {"flat", "vxlan"} <= set(ml2["[ml2] type_drivers"].split(","))
    assert ml2["[ml2_type_vxlan] vxlan_group"] == "239.1.1.5"
    agent = file("openstack", "/etc/neutron/plugins/ml2/openvswitch_agent.ini")
    assert agent["[ovs] bridge_mappings"] == "physnet1:br-ex"
    assert agent["[ovs] local_ip"] != "192.168.1.1"
    assert "server 192.168.1.254 iburst" in file("openstack", "/etc/chrony/chrony.conf")
    cinder = file("openstack", "/etc/cinder/cinder.conf")
    assert "cinder-volumes" in {value for name, value in cinder.items() if name.endswith(" volume_group")}
    operations = (tmp_path / "out" / "openstack.operations").read_text()
    assert "swift" not in operations
    # eth0 becomes a port of the bridge, which takes over its address.
    bridges = [line for line in operations.splitlines() if "br-ex" in line or "eth0" in line]
    assert "    port: eth0" in bridges
    assert "    bridge: br-ex" in bridges
