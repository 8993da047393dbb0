"""EL's names against lists that were typed from the packages themselves, and from the original install notes.

What is compared is what the deploy would do on each host: ``cloud.render`` runs its own tasks.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pyinfra.api import State
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory

from cloud import expected, inputs, render

ROOT = Path(__file__).parents[2]
NAMES = ROOT / "tests" / "golden" / "names"
# Ours alone, on every platform.
OURS = {"openstack-bridges"}
OUR_FILES = {
    "/etc/systemd/system/openstack-bridges.service", "/root/admin-openrc.sh", "/root/demo-openrc.sh",
    "/etc/openstack/clouds.yaml",
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(path.stem for path in NAMES.glob("*.toml")))
def compared(request):
    """(the list, the cloud of its example, host -> what is rendered)."""
    names = tomllib.loads((NAMES / f"{request.param}.toml").read_text())
    path = f"examples/{names['example']}/inventory.py"
    with ctx_state.use(State()):
        inventory = make_inventory(path, cwd=str(ROOT))
    cloud = inputs.read(inventory, path)
    return names, cloud, render.render(inventory, cloud)


def calls(recorder):
    """The operations of a host: (operation, argument -> its values)."""
    found = []
    for line in recorder.operations:
        if line.startswith(" "):
            key, _, value = line.strip().partition(": ")
            found[-1][1].setdefault(key, []).append(value)
        else:
            found.append((line.partition(":")[0], {}))
    return found


def values(recorder, operation, key):
    return [value for name, found in calls(recorder) if name == operation for value in found.get(key, [])]


def test_every_host_is_in_the_list(compared):
    names, cloud, _ = compared
    assert set(names["hosts"].values()) == set(cloud.nodes)


def test_packages(compared):
    names, cloud, rendered = compared
    for role, host in names["hosts"].items():
        wanted, beside = names["packages"][role], names["beside"][role]
        assert not set(wanted) & set(beside)
        assert sorted(cloud.packages(host)) == sorted([*wanted, *beside])
        assert set(cloud.packages(host)) <= set(values(rendered[host], "packages.installed", "packages"))


def test_units_that_verify_expects(compared):
    names, cloud, _ = compared
    for role, host in names["hosts"].items():
        assert set(expected.units(cloud, host)) - OURS == set(names["units"][role])


def test_units_that_are_started(compared):
    names, _, rendered = compared
    for role, host in names["hosts"].items():
        assert set(values(rendered[host], "service.running", "units")) - OURS == set(names["units"][role])


def test_files_with_their_owner_and_mode(compared):
    names, _, rendered = compared
    for role, host in names["hosts"].items():
        found = {
            arguments["dest"][0]: f"{arguments['owner'][0]} {arguments['mode'][0]}"
            for operation, arguments in calls(rendered[host])
            if operation.startswith("config.")
        }
        assert {path: found[path] for path in set(found) - OUR_FILES} == names["files"][role]


def test_links_that_no_package_makes(compared):
    names, _, rendered = compared
    links = calls(rendered[names["hosts"]["controller"]])
    links = {found["path"][0]: found["target"][0] for name, found in links if name == "files.link"}
    assert links == names["links"]


def test_what_httpd_is_told(compared):
    names, _, rendered = compared
    files = rendered[names["hosts"]["controller"]].files
    for path, wanted in names["text"].items():
        lines = [line.strip() for line in files[path].splitlines()]
        assert [line for line in wanted if line not in lines] == []
