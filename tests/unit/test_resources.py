"""Declared resources: what is refused, what is planned, and that what is there is left alone."""

import copy
import hashlib

import clouds
import pytest
from pydantic import ValidationError

from cloud import resource_files, resource_plan, resource_removal, secrets
from cloud.inputs import InputError
from cloud.resource_files import Files
from cloud.resources import Resources

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 lab"


def demo(folder, **changes):
    """One of everything, as an operator writes it; an image's file is in ``folder``."""
    file = folder / "disk"
    file.write_bytes(b"a disk")
    declared = {
        "flavors": [{"name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1, "properties": {"a": "b"}}],
        "volume_types": [{"name": "lvm"}],
        "images": [
            {
                "name": "tiny",
                "file": file,
                "kernel": "tiny-kernel",
                "visibility": "public",
                "tags": ["b", "a"],
            },
            {"name": "tiny-kernel", "file": file, "disk_format": "aki", "container_format": "aki"},
        ],
        "keypairs": [{"name": "lab", "public_key": KEY}],
        "security_groups": [
            {
                "name": "hello",
                "project": "demo",
                "rules": [{"protocol": "icmp"}, {"protocol": "tcp", "ports": 22}],
            }
        ],
        "networks": [
            {
                "name": "provider",
                "type": "flat",
                "physical_network": "provider",
                "external": True,
                "shared": True,
                "subnets": [
                    {
                        "name": "provider",
                        "cidr": "10.56.1.0/24",
                        "pools": [("10.56.1.100", "10.56.1.199")],
                    }
                ],
            },
            {
                "name": "private",
                "project": "demo",
                "subnets": [{"name": "private", "cidr": "192.168.100.0/24"}],
            },
        ],
        "routers": [
            {"name": "router", "project": "demo", "external_network": "provider", "subnets": ["private"]}
        ],
        "volumes": [{"name": "data", "project": "demo", "size": 1}],
        "instances": [
            {
                "name": "hello",
                "project": "demo",
                "flavor": "m1.nano",
                "image": "tiny",
                "networks": ["private"],
                "keypair": "lab",
                "security_groups": ["hello"],
                "volumes": ["data"],
                "availability_zone": "nova:compute2",
            }
        ],
        "floating_ips": [{"name": "web", "project": "demo", "network": "provider", "instance": "hello"}],
    }
    return {**declared, **changes}


def empty():
    state = {kind: [] for kind in ("flavors", "volume_types", "images", "keypairs", "security_groups")}
    state |= {kind: [] for kind in ("networks", "subnets", "routers", "ports", "floating_ips")}
    state |= {"volumes": [], "instances": [], "acting": ["admin"], "compute_hosts": ["compute", "compute2"]}
    state |= {
        "projects": {"admin": "p-admin", "demo": "p-demo"},
        "users": {"admin": "u-admin", "demo": "u-demo"},
    }
    limits = {
        "instances": [10, 0],
        "cores": [20, 0],
        "ram": [51200, 0],
        "volumes": [10, 0],
        "gigabytes": [1000, 0],
    }
    limits |= {name: [10, 0] for name in ("network", "subnet", "router", "floatingip", "security_group")}
    limits |= {"security_group_rule": [100, 0]}
    return {**state, "roles": {}, "quotas": {"demo": limits, "admin": copy.deepcopy(limits)}}


def full(resources, files):
    """The state after all steps of ``demo``."""
    state = empty()
    hashes = files.hashes["tiny"]
    state["flavors"] = [
        {"id": "f", "name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1, "ephemeral": 0, "swap": 0}
        | {"public": True, "properties": {"a": "b"}, "access": []}
    ]
    state["volume_types"] = [{"id": "t", "name": "lvm", "public": True, "properties": {}, "description": ""}]
    common = {"status": "active", "min_disk": 0, "min_ram": 0, "protected": False, "container_format": "bare"}
    common |= {"disk_format": "raw", "visibility": "private", "tags": []}
    image = {"project": "admin", "hash_algorithm": "sha512", "hash": hashes["sha512"], "members": []}
    kernel = {**common, "disk_format": "aki", "container_format": "aki"}
    disk = {**common, "visibility": "public", "tags": ["a", "b"], "kernel_id": "ik"}
    state["images"] = [
        {**image, "id": "ik", "name": "tiny-kernel", "attributes": kernel},
        {**image, "id": "i", "name": "tiny", "attributes": disk},
    ]
    state["keypairs"] = [{"name": "lab", "user": "admin", "public_key": KEY + "-by-nova"}]
    rule = {"direction": "ingress", "ethertype": "IPv4", "remote_group_id": None}
    state["security_groups"] = [
        {
            "id": "g",
            "name": "hello",
            "project": "demo",
            "rules": [
                {**rule, "protocol": "icmp", "remote_ip_prefix": None},
                {
                    **rule,
                    "protocol": "tcp",
                    "port_range_min": 22,
                    "port_range_max": 22,
                    "remote_ip_prefix": "0.0.0.0/0",
                },
            ],
        }
    ]
    network = {"id": "n", "name": "private", "project": "demo", "public": False, "shared": False}
    network |= {"external": False, "type": "vxlan", "physical_network": None, "segment": 7}
    provider = {"id": "np", "name": "provider", "project": "admin", "public": True, "shared": True}
    provider |= {"external": True, "type": "flat", "physical_network": "provider", "segment": None}
    state["networks"] = [network, provider]
    subnet = {"id": "s", "name": "private", "project": "demo", "network": "n", "cidr": "192.168.100.0/24"}
    subnet |= {
        "gateway": "192.168.100.1",
        "dhcp": True,
        "dns": [],
        "pools": [["192.168.100.2", "192.168.100.254"]],
    }
    outer = {"id": "sp", "name": "provider", "project": "admin", "network": "np", "cidr": "10.56.1.0/24"}
    outer |= {"gateway": "10.56.1.1", "dhcp": True, "dns": [], "pools": [["10.56.1.100", "10.56.1.199"]]}
    state["subnets"] = [subnet, outer]
    state["routers"] = [{"id": "r", "name": "router", "project": "demo", "external": "np"}]
    port = {"name": "", "project": "demo", "network": "n", "security_groups": []}
    state["ports"] = [
        {**port, "id": "pr", "owner": "network:router_interface", "device": "r", "subnets": ["s"]},
        {**port, "id": "pd", "owner": "network:dhcp", "device": "dhcp", "subnets": ["s"]},
        {
            **port,
            "id": "pi",
            "owner": "compute:nova",
            "device": "v",
            "subnets": ["s"],
            "security_groups": ["g"],
        },
    ]
    state["volumes"] = [
        {
            "id": "d",
            "name": "data",
            "project": "demo",
            "status": "in-use",
            "size": 1,
            "type": "lvm",
            "instances": ["v"],
        }
    ]
    state["instances"] = [
        {
            "id": "v",
            "name": "hello",
            "project": "demo",
            "status": "ACTIVE",
            "fault": None,
            "flavor": "m1.nano",
        }
        | {"image": "i", "metadata": {}, "volumes": ["d"]}
    ]
    state["floating_ips"] = [
        {"id": "w", "name": "web", "project": "demo", "network": "np", "address": "10.56.1.101", "port": "pi"}
    ]
    state["acting"] = ["admin", "demo"]
    return state


@pytest.fixture
def declared(tmp_path):
    resources = Resources(**demo(tmp_path))
    return resources, resource_files.read(resources)


def words(steps):
    return [step.what for step in steps]


def problems(folder, state=None, **changes):
    resources = Resources(**demo(folder, **changes))
    with pytest.raises(ValueError) as caught:
        resource_plan.plan(state or empty(), resources, resource_files.read(resources))
    return str(caught.value).splitlines()


# The plan


def test_everything_is_made_in_the_order_that_works(declared, tmp_path):
    assert words(resource_plan.plan(empty(), *declared)) == [
        "create flavor m1.nano",
        "set properties of flavor m1.nano: a",
        "create volume type lvm",
        f"create image tiny-kernel from {tmp_path}/disk",
        f"create image tiny from {tmp_path}/disk",
        "create keypair lab of user admin",
        "create security group hello",
        "let icmp from 0.0.0.0/0 pass security group hello (ingress)",
        "let tcp 22 from 0.0.0.0/0 pass security group hello (ingress)",
        "create network provider",
        "create subnet provider (10.56.1.0/24)",
        "create network private",
        "create subnet private (192.168.100.0/24)",
        "create router router",
        "join router router to subnet private",
        "create volume data (1 GB)",
        "create instance hello",
        "attach volume data to instance hello",
        "create floating IP web from network provider",
        "find the port of instance hello in network private",
        "lead floating IP web to instance hello",
    ]


def test_what_is_there_is_left_alone(declared):
    assert resource_plan.plan(full(*declared), *declared) == []
    assert not resource_plan.needs_identities(full(*declared), declared[0])


@pytest.mark.parametrize("kind", ["instances", "floating_ips", "volumes", "routers", "images"])
def test_a_run_that_was_killed_is_finished(declared, kind):
    state = full(*declared)
    state[kind] = []
    if kind == "instances":
        state["volumes"][0].update(status="available", instances=[])
        state["floating_ips"][0]["port"] = None
    if kind == "images":
        state["instances"] = []
        state["volumes"][0].update(status="available", instances=[])
        state["floating_ips"][0]["port"] = None
    if kind == "volumes":
        state["instances"][0]["volumes"] = []
    assert any(step.what.startswith("create") for step in resource_plan.plan(state, *declared))


def test_refs_stand_for_what_earlier_steps_made(declared):
    """Each is made, or is a project or a user, before it is used."""
    made = {"project:admin", "project:demo", "user:admin"}

    def refs(value):
        if isinstance(value, dict):
            if set(value) == {"ref"}:
                yield value["ref"]
            for item in value.values():
                yield from refs(item)
        elif isinstance(value, list):
            for item in value:
                yield from refs(item)

    for step in resource_plan.plan(empty(), *declared):
        assert set(refs([step.path, step.json])) <= made
        if step.makes:
            made.add(step.makes)
        assert set(refs(step.waits)) <= made


def test_an_instance_and_its_volume_are_made_in_their_project(declared):
    steps = {step.what: step for step in resource_plan.plan(empty(), *declared)}
    server = steps["create instance hello"]
    assert server.project == steps["create volume data (1 GB)"].project == "demo"
    assert server.json["server"]["availability_zone"] == "nova:compute2"
    assert server.waits[0]["seconds"] == 600


def test_an_upload_that_was_broken_off_is_made_again(declared):
    state = full(*declared)
    state["images"][0]["attributes"]["status"] = "saving"
    steps = words(resource_plan.plan(state, *declared))
    assert steps[0] == "remove image tiny-kernel, whose upload was broken off"
    assert steps[1].startswith("create image tiny-kernel")


def test_an_image_is_protected_after_its_upload(tmp_path):
    images = [{"name": "a", "file": tmp_path / "disk", "protected": True}]
    resources = Resources(**demo(tmp_path, images=images, instances=[], floating_ips=[]))
    steps = resource_plan.plan(empty(), resources, resource_files.read(resources))
    create, protect = (step for step in steps if "image a" in step.what)
    assert "protected" not in create.json
    assert protect.json == [{"op": "replace", "path": "/protected", "value": True}]


def test_changes_in_place(tmp_path, declared):
    state = full(*declared)
    changed = demo(tmp_path)
    changed["images"][0] |= {"min_ram": 64, "properties": {"os_distro": "debian"}}
    changed["instances"][0]["metadata"] = {"a": "b"}
    changed["networks"][1]["subnets"][0]["dns"] = ["10.56.1.1"]
    resources = Resources(**changed)
    assert words(resource_plan.plan(state, resources, resource_files.read(resources))) == [
        "set os_distro, min_ram of image tiny",
        "set dns of subnet private",
        "set metadata of instance hello: a",
    ]


# What is refused against the cloud


def test_unknown_names(tmp_path):
    instance = demo(tmp_path)["instances"][0]
    unknown = {"flavor": "m9", "image": "nope", "networks": ["nonet"], "keypair": "nokey"}
    unknown |= {"security_groups": ["nogroup"], "availability_zone": "nova:mars", "volumes": []}
    found = problems(tmp_path, instances=[{**instance, **unknown}])
    assert found == [
        "instance hello: no such network: nonet",
        "instance hello: no such flavor: m9",
        "instance hello: no such keypair of user admin: nokey",
        "instance hello: no such security group: nogroup",
        "instance hello: no such compute host: mars",
        "instance hello: no such image: nope",
    ]


def test_unknown_projects_and_users(tmp_path):
    found = problems(
        tmp_path,
        volumes=[{"name": "data", "project": "ghosts", "size": 1}],
        instances=[],
        floating_ips=[],
        keypairs=[{"name": "lab", "public_key": KEY, "users": ["nobody"]}],
    )
    assert found == ["volume data: no such project: ghosts", "keypair lab: no such user: nobody"]


def test_a_missing_file_and_a_wrong_checksum(tmp_path):
    file = tmp_path / "disk"
    file.write_bytes(b"a disk")
    right = hashlib.sha256(b"a disk").hexdigest()
    images = [
        {"name": "tiny", "file": file, "checksum": "0" * 64},
        {"name": "gone", "file": tmp_path / "gone"},
        {"name": "good", "file": file, "checksum": right},
    ]
    assert problems(tmp_path, images=images) == [
        f"image tiny: {file} has the checksum {right}, declared is {'0' * 64}",
        f"image gone: {tmp_path}/gone can't be read: No such file or directory",
    ]


def test_a_private_key_goes_nowhere(tmp_path):
    path = tmp_path / "id_ed25519"
    path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n")
    pair = {"name": "lab", "public_key_file": path}
    assert problems(tmp_path, keypairs=[pair]) == [f"keypair lab: {path} is no public key"]
    assert resource_files.read(Resources(keypairs=[pair])).public_keys == {"lab": ""}


def test_a_changed_file_under_the_same_name(tmp_path, declared):
    state = full(*declared)
    state["images"][1]["hash"] = "0"
    (found,) = problems(tmp_path, state)
    assert "image tiny is there with other content than" in found


def test_a_url_is_held_against_the_checksum_it_was_fetched_with(tmp_path, declared):
    image = {"name": "tiny", "url": "http://a/tiny", "checksum": "1" * 64, "visibility": "public"}
    state = full(*declared)
    state["images"][1]["attributes"]["fetched_sha256"] = "2" * 64
    (found,) = problems(tmp_path, state, images=[image])
    assert "other content" in found
    state["images"][1]["attributes"]["fetched_sha256"] = "1" * 64
    resources = Resources(**demo(tmp_path, images=[{**image, "tags": ["a", "b"]}]))
    assert resource_plan.plan(state, resources, resource_files.read(resources)) == []


def test_a_quota_that_would_be_exceeded(tmp_path):
    quotas = [{"project": "demo", "limits": {"instances": 0}}]
    assert problems(tmp_path, quotas=quotas) == [
        "project demo: Quota exceeded for instances: Requested 1, but already used 0 of 0"
    ]


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("flavors", {"ram": 200}, "flavor m1.nano is there with ram 200, declared is 192"),
        ("keypairs", {"public_key": "ssh-rsa B"}, "keypair lab of user admin is there with another key"),
        ("volumes", {"size": 2}, "volume data is there with size 2"),
        ("volumes", {"status": "error"}, "volume data has the status error"),
        ("instances", {"status": "ERROR", "fault": "No valid host"}, "has the status ERROR: No valid host"),
        ("instances", {"flavor": "m1.big"}, "instance hello is there with flavor m1.big"),
    ],
)
def test_what_cannot_be_changed_in_place(tmp_path, declared, kind, values, words):
    state = full(*declared)
    state[kind][0] |= values
    assert any(words in line for line in problems(tmp_path, state))


def test_a_physical_network_holds_one_flat_network(tmp_path, declared):
    state = full(*declared)
    state["networks"][1]["name"] = "other"
    assert any("is taken by the flat network other" in line for line in problems(tmp_path, state))


def test_two_of_a_name_are_a_problem(tmp_path, declared):
    state = full(*declared)
    state["flavors"].append({**state["flavors"][0], "id": "f2"})
    assert problems(tmp_path, state) == ["flavors: there are 2 named m1.nano, remove all but one: f, f2"]


# What is refused offline


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gateway": "192.168.7.1"}, "gateway 192.168.7.1 is no host address of 192.168.100.0/24"),
        ({"pools": [("10.0.0.1", "10.0.0.9")]}, "10.0.0.1 is no host address of 192.168.100.0/24"),
        ({"pools": [("192.168.100.1", "192.168.100.9")]}, "holds the gateway 192.168.100.1"),
        ({"pools": [("192.168.100.9", "192.168.100.2")]}, "ends before it begins"),
        (
            {"pools": [("192.168.100.2", "192.168.100.9"), ("192.168.100.9", "192.168.100.12")]},
            "overlap",
        ),
        ({"cidr": "192.168.100.1/24"}, "not a valid IPv4 network"),
    ],
)
def test_wrong_subnets(tmp_path, changes, words):
    declared = demo(tmp_path)
    declared["networks"][1]["subnets"][0] |= changes
    with pytest.raises(ValidationError, match=words):
        Resources(**declared)


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("images", {"file": None}, "either a file or a url"),
        ("images", {"file": None, "url": "http://a/b"}, "needs its checksum"),
        ("images", {"disk_format": "ari"}, "do not go together"),
        ("instances", {"image": None}, "either an image or a boot_volume"),
        ("instances", {"volumes": ["theirs"]}, "volume theirs is not declared"),
        (
            "instances",
            {"image": None, "boot_volume": "data", "volumes": []},
            "data has no image to boot from",
        ),
        ("instances", {"networks": []}, "needs a network or a port"),
        ("floating_ips", {"instance": "other"}, "instance other is not declared"),
        ("networks", {"physical_network": None}, "physical_network goes with"),
        ("flavors", {"projects": ["demo"]}, "takes no projects"),
        ("flavors", {"vcpu": 1}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_declarations(tmp_path, kind, values, words):
    declared = demo(tmp_path)
    declared[kind][0] |= values
    with pytest.raises(ValidationError, match=words):
        Resources(**declared)


@pytest.mark.parametrize("kind", ["flavors", "images", "networks", "volumes", "instances", "routers"])
def test_a_name_used_twice(tmp_path, kind):
    declared = demo(tmp_path)
    declared[kind].append(declared[kind][0])
    with pytest.raises(ValidationError, match=f"{kind}: the name .* is used 2 times"):
        Resources(**declared)


def test_the_deploys_own_are_not_declared():
    for own in ({"projects": [{"name": "demo"}]}, {"users": [{"name": "nova"}]}, {"roles": ["admin"]}):
        with pytest.raises(ValidationError, match="don't declare it"):
            Resources(**own)


@pytest.mark.parametrize(
    ("protocol", "ports"), [("icmp", 22), ("tcp", "high"), ("tcp", "9:8"), ("udp", 70000)]
)
def test_wrong_ports(protocol, ports):
    rules = [{"protocol": protocol, "ports": ports}]
    with pytest.raises(ValidationError, match="ports"):
        Resources(security_groups=[{"name": "a", "rules": rules}])


def test_one_clear_line_for_a_wrong_declaration(tmp_path):
    """Not all of the declaration after it."""
    twice = [{"name": "a", "vcpus": 1, "ram": 1}] * 2
    with pytest.raises(InputError) as caught:
        clouds.cloud(tmp_path, resources={"flavors": twice})
    assert caught.value.problems == ["group_data/all.py: resources: flavors: the name a is used 2 times"]


# Users' passwords


def test_a_declared_users_password(tmp_path):
    resources = Resources(users=[{"name": "alice", "roles": {"demo": ["member"]}}])
    assert resource_plan.missing_passwords(resources, {}) == [
        "user alice: secrets.toml needs user_alice_password"
    ]
    present = {"user_alice_password": "mVx81-Tq0c3zWp"}
    assert resource_plan.missing_passwords(resources, present) == []
    path = tmp_path / "secrets.toml"
    path.write_text(secrets.generate(present))
    path.chmod(0o600)
    values, _ = secrets.load(path)
    assert values["user_alice_password"] == present["user_alice_password"]
    assert secrets.problems(values) == []
    assert secrets.problems({**values, "user_alice_password": "short"}) != []
    admin, alice = resource_plan.identities(resources, values)["users"]
    assert (admin.roles, alice.password) == ({}, present["user_alice_password"])


# Teardown


def test_everything_goes_in_the_order_that_works(declared):
    resources = declared[0]
    assert words(resource_removal.plan(full(*declared), resources)) == [
        "remove instance hello",
        "remove floating IP web",
        "see volume data detached",
        "remove volume data",
        "remove image tiny-kernel",
        "remove image tiny",
        "remove flavor m1.nano",
        "remove volume type lvm",
        "part router router from subnet private",
        "remove router router",
        "remove network private",
        "remove network provider",
        "remove security group hello",
        "remove keypair lab of user admin",
    ]


def test_nothing_is_removed_twice(declared):
    assert resource_removal.plan(empty(), declared[0]) == []


def test_what_is_not_declared_stays(declared):
    state = full(*declared)
    for kind in ("flavors", "images", "volumes", "instances", "networks", "routers", "security_groups"):
        # Under the same name in another project, too.
        other = {**state[kind][0], "id": f"other-{kind}"}
        other |= {"name": "theirs"} if kind in ("flavors",) else {"project": "theirs"}
        state[kind].append(other)
    steps = resource_removal.plan(state, declared[0])
    assert not any(str(part).startswith("other-") for step in steps for part in step.path)


@pytest.mark.parametrize(
    ("kind", "item", "words"),
    [
        (
            "ports",
            {"id": "x", "name": "", "owner": "compute:nova", "device": "theirs", "network": "n"}
            | {"subnets": ["s"], "security_groups": []},
            "network private has a port that is not declared",
        ),
        (
            "subnets",
            {"id": "x", "name": "theirs", "network": "n"},
            "has a subnet that is not declared: theirs",
        ),
        (
            "ports",
            {"id": "x", "name": "", "owner": "network:router_interface", "device": "r", "network": "m"}
            | {"subnets": ["theirs"], "security_groups": []},
            "router router has an interface that is not declared",
        ),
    ],
)
def test_what_others_hung_on_ours_stops_it_before_the_first_step(declared, kind, item, words):
    state = full(*declared)
    state[kind].append(item)
    with pytest.raises(ValueError, match=words):
        resource_removal.plan(state, declared[0])


def test_a_volume_that_another_instance_uses_stays(declared):
    state = full(*declared)
    state["volumes"][0]["instances"] = ["theirs"]
    with pytest.raises(ValueError, match="attached to what is not declared: theirs"):
        resource_removal.plan(state, declared[0])


def test_a_protected_image_stops_it(declared):
    state = full(*declared)
    state["images"][0]["attributes"]["protected"] = True
    with pytest.raises(ValueError, match="image tiny-kernel is protected"):
        resource_removal.plan(state, declared[0])


def test_a_project_goes_only_when_it_is_empty():
    resources = Resources(projects=[{"name": "team"}])
    state = empty()
    state["projects"]["team"] = "p-team"
    state["security_groups"] = [{"id": "g", "name": "default", "project": "team", "rules": []}]
    assert words(resource_removal.plan(state, resources)) == [
        "remove the default security group of team",
        "remove project team",
    ]
    state["routers"] = [{"id": "r", "name": "theirs", "project": "team", "external": None}]
    with pytest.raises(ValueError, match="project team has"):
        resource_removal.plan(state, resources)


def test_nothing_declared_is_nothing_to_do():
    assert not Resources().anything
    assert resource_plan.plan(empty(), Resources(), Files()) == []
