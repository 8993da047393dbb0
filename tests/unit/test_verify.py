"""Verify's judgement: a healthy cloud passes, and every kind of fault fails where it is."""

import copy

import clouds
import pytest

from cloud import expected
from cloud.frontends import frontends
from cloud.verdict import Answers
from cloud.verify import all_reported, judge, upgrade_findings

GIB = 1024**3
UNITS = {
    "controller": (
        "chrony mariadb rabbitmq-server memcached keystone glance-api placement-api nova-api "
        "nova-api-metadata nova-scheduler nova-conductor nova-novncproxy neutron-api neutron-rpc-server "
        "cinder-api cinder-scheduler apache2 openvswitch-switch neutron-openvswitch-agent neutron-dhcp-agent "
        "neutron-l3-agent neutron-metadata-agent openstack-bridges"
    ),
    "compute": (
        "chrony libvirtd openvswitch-switch nova-compute neutron-openvswitch-agent openstack-bridges"
    ),
    "storage": "chrony rtslib-fb-targetctl cinder-volume",
}
PORTS = (3306, 5672, 11211, 5000, 9292, 8778, 8774, 9696, 8776, 8775, 6080, 80)
CATALOG = {
    "keystone": "http://192.168.56.11:5000/v3",
    "glance": "http://192.168.56.11:9292",
    "placement": "http://192.168.56.11:8778",
    "nova": "http://192.168.56.11:8774/v2.1",
    "neutron": "http://192.168.56.11:9696",
    "cinderv3": "http://192.168.56.11:8776/v3/%(project_id)s",
}
DATABASES = ("keystone", "glance", "placement", "nova_api", "nova_cell0", "nova", "neutron", "cinder")
CLEAN = """\
+-------------------------------------------+
| Upgrade Check Results                     |
+-------------------------------------------+
| Check: Policy File JSON to YAML Migration |
| Result: Success                           |
| Details: None                             |
+-------------------------------------------+
"""
FINDINGS = """\
+-------------------------------------------------------------------+
| Upgrade Check Results                                             |
+-------------------------------------------------------------------+
| Check: Cells v2                                                   |
| Result: Success                                                   |
| Details: None                                                     |
+-------------------------------------------------------------------+
| Check: Older than N-1 computes                                    |
| Result: Warning                                                   |
| Details: Current Nova version does not support computes older than |
|   Caracal but the minimum compute service level is: 61.           |
+-------------------------------------------------------------------+
"""


def heartbeat(host, name, **changes):
    return {"host": host, "name": name, "up": True, "enabled": True, "age": 4.2, **changes}


def healthy_answers():
    """What the programs in operations/remote answer for the default inventory, when all is well."""
    unit = {"active": "active", "sub": "running", "enabled": "enabled", "restarts": 0}
    return Answers(
        hosts={
            "controller": {
                "ports": {f"192.168.56.11:{port}": None for port in PORTS},
                "units": {name: dict(unit) for name in UNITS["controller"].split()},
                "volume_group": None,
                "tracking": {"CT state": True, "CT zone": True, "CT mark": True},
            },
            "compute": {
                "ports": {},
                "units": {name: dict(unit) for name in UNITS["compute"].split()},
                "volume_group": None,
                "tracking": {"CT state": True, "CT zone": True, "CT mark": True},
            },
            "storage": {
                "ports": {},
                "units": {name: dict(unit) for name in UNITS["storage"].split()},
                "volume_group": {"size": 10 * GIB, "free": 9 * GIB, "volumes": 2, "pool": 12.3},
                "tracking": None,
            },
        },
        clocks={"controller": (1000.0, 0.01), "compute": (1000.1, 0.02), "storage": (999.9, 0.02)},
        api={
            "nova_services": [
                heartbeat("controller", "nova-conductor"),
                heartbeat("controller", "nova-scheduler"),
                heartbeat("compute", "nova-compute"),
            ],
            "neutron_agents": [
                heartbeat("controller", "Open vSwitch agent"),
                heartbeat("controller", "DHCP agent"),
                heartbeat("controller", "L3 agent"),
                heartbeat("controller", "Metadata agent"),
                heartbeat("compute", "Open vSwitch agent"),
            ],
            "cinder_services": [
                heartbeat("controller", "cinder-scheduler"),
                heartbeat("storage@lvm", "cinder-volume"),
            ],
            "volume_pools": [{"backend": "storage@lvm", "up": True, "free": 9.5}],
            "hypervisors": [{"host": "compute", "up": True}],
            "endpoints": [
                {"service": name, "interface": interface, "url": url, "region": "RegionOne", "status": 300}
                for name, url in CATALOG.items()
                for interface in ("public", "internal", "admin")
            ],
        },
        schemas={name: {"heads": ["b", "a"], "found": ["a", "b"]} for name in DATABASES},
        upgrades={
            name: {"status": 0, "output": CLEAN}
            for name in ("keystone", "glance", "placement", "nova", "neutron", "cinder")
        },
    )


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path)


@pytest.fixture
def answers():
    return healthy_answers()


def failed(cloud, answers):
    """The failed checks, as (section, host, check, found)."""
    return [(c.section, c.host, c.check, c.found) for c in judge(cloud, answers).failed]


def test_a_healthy_cloud_passes(cloud, answers):
    report = judge(cloud, answers)
    assert report.failed == []
    assert report.warnings == []
    assert report.ok
    # hosts, units, ports, clocks, security groups, volume groups; nova, neutron, cinder, pools, hypervisors;
    # endpoints, schemas, upgrades
    assert len(report.checks) == (3 + 32 + 12 + 3 + 2 + 1) + (3 + 5 + 2 + 1 + 1) + (18 + 8 + 6)


@pytest.mark.parametrize(
    ("pools", "found"),
    [
        ([], "no pool: its driver is still starting, or can't (see cinder-volume's log there)"),
        ([{"backend": "storage@other", "up": True, "free": 9.5}], "no pool: its driver is still starting, "),
        ([{"backend": "storage@lvm", "up": False, "free": 0}], "0 GiB free, down"),
        ({"error": "HttpException: 503"}, "HttpException: 503"),
    ],
)
def test_a_volume_service_whose_driver_has_not_started(cloud, answers, pools, found):
    """Seen: its heartbeat was there 80 seconds before the first volume could be made."""
    answers.api["volume_pools"] = pools
    assert not all_reported(cloud, answers.api)
    [(section, host, check, text)] = failed(cloud, answers)
    assert (section, host, check) == ("Volume pools", "storage@lvm", "can take volumes")
    assert text.startswith(found)


def test_the_answers_are_not_changed(cloud, answers):
    before = copy.deepcopy(answers)
    judge(cloud, answers)
    assert answers == before


def test_an_unreachable_host_fails_every_check_it_was_needed_for(cloud, answers):
    del answers.hosts["storage"], answers.clocks["storage"]
    assert failed(cloud, answers) == [
        ("Hosts", "storage", "answers", "unreachable over SSH"),
        ("Units", "storage", "chrony", "unreachable over SSH"),
        ("Units", "storage", "rtslib-fb-targetctl", "unreachable over SSH"),
        ("Units", "storage", "cinder-volume", "unreachable over SSH"),
        ("Clocks", "storage", "offset to controller", "storage did not tell its time"),
        ("Volume groups", "storage", "cinder-volumes", "unreachable over SSH"),
    ]


def test_a_host_that_answered_with_an_error(cloud, answers):
    answers.hosts["compute"] = "python3: not found"
    found = failed(cloud, answers)
    assert ("Hosts", "compute", "answers", "python3: not found") in found
    assert {reason for _, _, _, reason in found} == {"python3: not found"}


def test_a_host_that_could_not_tell_one_thing(cloud, answers):
    answers.hosts["storage"]["volume_group"] = {"error": 'RuntimeError: Volume group "x" not found'}
    assert failed(cloud, answers) == [
        ("Volume groups", "storage", "cinder-volumes", 'RuntimeError: Volume group "x" not found')
    ]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"active": "inactive", "sub": "dead"}, "inactive (dead), enabled"),
        ({"active": "failed", "sub": "failed"}, "failed (failed), enabled"),
        ({"active": "activating", "sub": "auto-restart"}, "activating (auto-restart), enabled"),
        ({"enabled": "disabled"}, "active (running), disabled"),
        ({"enabled": "masked"}, "active (running), masked"),
        (
            {"active": "inactive", "sub": "dead", "enabled": ""},
            "inactive (dead), no such unit",
        ),
    ],
)
def test_a_unit_that_does_not_run_or_will_not_start(cloud, answers, change, found):
    answers.hosts["compute"]["units"]["nova-compute"].update(change)
    assert failed(cloud, answers) == [("Units", "compute", "nova-compute", found)]


@pytest.mark.parametrize("enabled", ["alias", "static", "generated", "enabled-runtime"])
def test_a_unit_that_something_else_starts(cloud, answers, enabled):
    answers.hosts["compute"]["units"]["libvirtd"]["enabled"] = enabled
    assert failed(cloud, answers) == []


def test_a_crash_is_a_warning(cloud, answers):
    answers.hosts["compute"]["units"]["nova-compute"]["restarts"] = 3
    report = judge(cloud, answers)
    assert report.ok
    assert report.warnings == ["nova-compute on compute was restarted 3 times by systemd after a crash"]


def test_a_closed_port(cloud, answers):
    answers.hosts["controller"]["ports"]["192.168.56.11:8775"] = "[Errno 111] Connection refused"
    assert failed(cloud, answers) == [
        ("Ports", "controller", "nova metadata 192.168.56.11:8775", "[Errno 111] Connection refused")
    ]


def test_a_clock_that_is_off(cloud, answers):
    answers.clocks["compute"] = (1002.0, 0.02)
    assert failed(cloud, answers) == [("Clocks", "compute", "offset to controller", "+2.000 s (± 0.030)")]


def test_a_slow_connection_is_not_held_against_the_clock(cloud, answers):
    answers.clocks["compute"] = (1000.6, 0.2)
    assert failed(cloud, answers) == []


def test_without_the_controllers_clock_none_can_be_compared(cloud, answers):
    del answers.clocks["controller"]
    assert [(host, found) for section, host, _, found in failed(cloud, answers) if section == "Clocks"] == [
        ("controller", "controller did not tell its time"),
        ("compute", "controller did not tell its time"),
        ("storage", "controller did not tell its time"),
    ]


def test_a_datapath_that_can_block_nothing(cloud, answers):
    answers.hosts["compute"]["tracking"] = {"CT state": True, "CT zone": False, "CT mark": True}
    answers.hosts["controller"]["tracking"] = {"error": "RuntimeError: no such bridge"}
    assert failed(cloud, answers) == [
        ("Security groups", "controller", "Open vSwitch tracks connections", "RuntimeError: no such bridge"),
        (
            "Security groups",
            "compute",
            "Open vSwitch tracks connections",
            "its datapath has no CT zone: nothing is blocked",
        ),
    ]


def test_an_empty_volume_group(cloud, answers):
    answers.hosts["storage"]["volume_group"].update(size=0, free=0, volumes=0, pool=None)
    assert failed(cloud, answers) == [
        ("Volume groups", "storage", "cinder-volumes", "0.0 GiB, 0.0 GiB free, 0 volumes")
    ]


def test_a_thin_pool_that_is_nearly_full_is_a_warning(cloud, answers):
    answers.hosts["storage"]["volume_group"]["pool"] = 80.0
    report = judge(cloud, answers)
    assert report.ok
    (check,) = (check for check in report.checks if check.section == "Volume groups")
    assert check.found == "10.0 GiB, 9.0 GiB free, thin pool 80 % full, 2 volumes"
    assert report.warnings == [
        "cinder-volumes on storage: a full thin pool stops every volume in it; add a disk"
    ]


SERVICES = [
    ("Compute services", "nova_services", "compute", "nova-compute"),
    ("Network agents", "neutron_agents", "controller", "L3 agent"),
    ("Volume services", "cinder_services", "storage@lvm", "cinder-volume"),
]


@pytest.mark.parametrize(("section", "key", "host", "name"), SERVICES)
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (None, "not registered"),
        ({"up": False}, "down, heard of 4 s ago"),
        # The API still says "up": it believes a host whose clock is wrong.
        ({"age": 61.0}, "up, heard of 61 s ago"),
        ({"age": None}, "up, never heard of"),
    ],
)
def test_a_service_that_is_not_there(cloud, answers, section, key, host, name, change, found):
    (item,) = (item for item in answers.api[key] if (item["host"], item["name"]) == (host, name))
    if change is None:
        answers.api[key].remove(item)
    else:
        item.update(change)
    assert failed(cloud, answers) == [(section, host, name, found)]
    assert not all_reported(cloud, answers.api)


def test_a_heartbeat_at_the_limit_is_fresh(cloud, answers):
    answers.api["nova_services"][0]["age"] = 60.0
    assert failed(cloud, answers) == []


def test_a_disabled_service_is_a_warning(cloud, answers):
    answers.api["nova_services"][2]["enabled"] = False
    report = judge(cloud, answers)
    assert report.ok
    assert report.warnings == ["nova-compute on compute is disabled: nothing new is scheduled there"]


def test_a_service_that_nobody_expects_is_a_warning(cloud, answers):
    answers.api["nova_services"].append(heartbeat("old", "nova-compute", up=False))
    report = judge(cloud, answers)
    assert report.ok
    assert report.warnings == [
        "Compute services: nova-compute on old is registered but not in the inventory (down); if that host "
        "is gone, remove the entry"
    ]


@pytest.mark.parametrize(
    ("hypervisors", "found"),
    [([], "not registered"), ([{"host": "compute", "up": False}], "down")],
)
def test_a_hypervisor_that_is_not_there(cloud, answers, hypervisors, found):
    answers.api["hypervisors"] = hypervisors
    assert failed(cloud, answers) == [("Hypervisors", "compute", "hypervisor", found)]


def endpoint(answers, service, interface):
    (item,) = (
        item
        for item in answers.api["endpoints"]
        if (item["service"], item["interface"]) == (service, interface)
    )
    return item


def test_a_missing_endpoint(cloud, answers):
    answers.api["endpoints"].remove(endpoint(answers, "cinderv3", "admin"))
    assert failed(cloud, answers) == [
        ("Endpoints", "controller", "cinderv3 admin", "0 endpoints in the catalog")
    ]


def test_a_duplicate_endpoint(cloud, answers):
    answers.api["endpoints"].append(dict(endpoint(answers, "glance", "public")))
    assert failed(cloud, answers) == [
        ("Endpoints", "controller", "glance public", "2 endpoints in the catalog")
    ]


def test_an_endpoint_of_another_region_is_no_duplicate(cloud, answers):
    answers.api["endpoints"].append({**endpoint(answers, "glance", "public"), "region": "RegionTwo"})
    assert failed(cloud, answers) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"url": "http://10.0.0.1:9292"}, "answers 300, but its URL is http://10.0.0.1:9292"),
        ({"status": "[Errno 111] Connection refused"}, "no answer: [Errno 111] Connection refused"),
        ({"status": 503}, "no answer: 503"),
    ],
)
def test_an_endpoint_that_does_not_answer_or_is_elsewhere(cloud, answers, change, found):
    endpoint(answers, "glance", "internal").update(change)
    assert failed(cloud, answers) == [("Endpoints", "controller", "glance internal", found)]


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"heads": ["b"], "found": ["a"]}, "at a, head is b"),
        ({"heads": ["b"], "found": []}, "at nothing, head is b"),
        ({"heads": ["b", "c"], "found": ["b"]}, "at b, head is b, c"),
        ({"error": "OperationalError: Access denied"}, "OperationalError: Access denied"),
        (None, "no answer"),
    ],
)
def test_a_schema_that_is_behind(cloud, answers, state, found):
    del answers.schemas["nova_cell0"]
    if state is not None:
        answers.schemas["nova_cell0"] = state
    assert failed(cloud, answers) == [("Schemas", "controller", "nova_cell0", found)]


def test_an_upgrade_check_with_a_warning(cloud, answers):
    answers.upgrades["nova"] = {"status": 1, "output": FINDINGS}
    report = judge(cloud, answers)
    assert report.ok
    assert report.warnings == [
        "nova-status upgrade check: Warning: Older than N-1 computes: Current Nova version does not support "
        "computes older than Caracal but the minimum compute service level is: 61."
    ]


UNTAKEN = """\
+---------------------------------------------------------+
| Check: Service UUIDs                                    |
| Result: Failure                                         |
| Details: Services and volumes must have a service UUID. |
|   Please fix this issue by running Queens online data   |
|   migrations.                                           |
+---------------------------------------------------------+
"""


def test_a_volume_that_no_host_took_is_no_broken_upgrade(cloud, answers):
    """As cinder-status has it after a create that could not be scheduled."""
    answers.upgrades["cinder"] = {"status": 2, "output": UNTAKEN}
    report = judge(cloud, answers)
    assert report.ok
    [warning] = report.warnings
    assert "Please fix this issue by running Queens online data migrations. Or remove those" in warning
    answers.upgrades["cinder"] = {"status": 2, "output": UNTAKEN + FINDINGS.replace("Warning", "Failure")}
    assert len(failed(cloud, answers)) == 1


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (
            FINDINGS.replace("Warning", "Failure"),
            "status 2: Failure: Older than N-1 computes: Current Nova version does not support computes "
            "older than Caracal but the minimum compute service level is: 61.",
        ),
        ("Traceback: no such file", "status 2: Traceback: no such file"),
    ],
)
def test_an_upgrade_check_that_fails(cloud, answers, output, found):
    answers.upgrades["nova"] = {"status": 2, "output": output}
    assert failed(cloud, answers) == [("Upgrade checks", "controller", "nova-status upgrade check", found)]


def test_what_an_upgrade_check_found():
    assert upgrade_findings(CLEAN) == []
    assert upgrade_findings("") == []
    assert upgrade_findings("No handlers could be found: 7\n") == []
    assert len(upgrade_findings(FINDINGS)) == 1


@pytest.mark.parametrize(
    ("api", "reason"),
    [
        ({"error": "no token from keystone: 401"}, "no token from keystone: 401"),
        ("ModuleNotFoundError: openstack", "ModuleNotFoundError: openstack"),
    ],
)
def test_an_api_that_gave_no_answer(cloud, answers, api, reason):
    answers.api = api
    found = failed(cloud, answers)
    assert len(found) == 3 + 5 + 2 + 1 + 1 + 18
    assert {text for *_, text in found} == {reason}
    assert not all_reported(cloud, api)


def test_one_question_that_an_api_did_not_answer(cloud, answers):
    answers.api["neutron_agents"] = {"error": "ServiceUnavailable: 503"}
    found = failed(cloud, answers)
    assert {(section, text) for section, _, _, text in found} == {
        ("Network agents", "ServiceUnavailable: 503")
    }
    assert len(found) == 5


def test_an_unreachable_controller_leaves_no_check_out(cloud, answers):
    healthy = len(judge(cloud, answers).checks)
    del answers.hosts["controller"], answers.clocks["controller"]
    answers.api = answers.schemas = answers.upgrades = Answers().api
    report = judge(cloud, answers)
    assert len(report.checks) == healthy
    reasons = {check.found for check in report.failed if check.section in ("Endpoints", "Schemas")}
    assert reasons == {"not asked: no controller can be reached"}


def test_nothing_at_all_was_answered(cloud):
    report = judge(cloud, Answers())
    assert report.checks
    assert [check for check in report.checks if check.ok] == []


def test_hosts_outside_the_limit_are_left_out_and_named(cloud, answers):
    del answers.hosts["storage"], answers.clocks["storage"]
    answers.left_out = ["storage"]
    report = judge(cloud, answers)
    assert report.ok
    assert report.warnings == ["outside --limit, not looked at: storage"]
    assert {check.host for check in report.checks} == {"controller", "compute", "storage@lvm"}


def test_a_limit_without_the_controller(cloud, answers):
    limited = Answers(
        hosts={"compute": answers.hosts["compute"]},
        clocks={"compute": answers.clocks["compute"]},
        left_out=["controller", "storage"],
    )
    report = judge(cloud, limited)
    assert report.ok
    assert {check.section for check in report.checks} == {"Hosts", "Units", "Security groups"}
    assert report.warnings == [
        "controller is outside --limit: the clocks were not compared with its clock",
        "every controller is outside --limit: the APIs were not asked",
        "outside --limit, not looked at: controller, storage",
    ]


def test_everything_has_reported(cloud, answers):
    assert all_reported(cloud, answers.api)
    # Endpoints are not waited for.
    answers.api["endpoints"] = []
    assert all_reported(cloud, answers.api)


# -- repositories of EL hosts

MESSAGING_KEY = "A9265AE9171868B82F91555083014EBBE16E0D12"
MINE = {"baseurl": "http://192.168.56.1/mine/", "gpgkey": ["file:///etc/pki/rpm-gpg/RPM-GPG-KEY-mine"]}
MINES_KEY = {"/etc/pki/rpm-gpg/RPM-GPG-KEY-mine": {"fingerprint": MESSAGING_KEY}}


def repositories(tmp_path, files, imported=(), **settings):
    """The section of that name, as (host, check, expected, found, ok), and the report's warnings."""
    settings = {"platform": "el", "release": "ocata", "l2_agent": "linuxbridge", **settings}
    cloud = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, self_service_networks=False, **settings)
    answer = {"yum": files if isinstance(files, str) else {"files": files, "imported": list(imported)}}
    if isinstance(files, str):
        answer = {"yum": {"error": files}}
    report = judge(cloud, Answers(hosts={"controller": answer}, left_out=["compute"]))
    checks = [c for c in report.checks if c.section == "Repositories"]
    return [(c.host, c.check, c.expected, c.found, c.ok) for c in checks], report.warnings


def test_repositories_as_declared(tmp_path):
    files = {
        "/etc/yum.conf": "[main]\ngpgcheck=1\n",
        "/etc/yum.repos.d/a.repo": "[base]\n[centos-openstack-ocata]\n[mine]\n",
    }
    declared = {"yum_repositories": {"mine": MINE}, "yum_keys": MINES_KEY}
    assert repositories(tmp_path, files, [MESSAGING_KEY], **declared)[0] == [
        (
            "controller",
            "enabled",
            "centos-openstack-ocata, mine",
            "declared 2, enabled 3; not declared: base",
            True,
        ),
        ("controller", "keys", "1 imported", "1 imported", True),
    ]


def test_a_repository_that_is_gone_and_a_key_that_is_not_imported(tmp_path):
    files = {"/etc/yum.repos.d/a.repo": "[mine]\ngpgcheck=0\n"}
    declared = {"yum_repositories": {"mine": MINE}, "yum_keys": MINES_KEY}
    found = repositories(tmp_path, files, **declared)[0]
    assert [(text, ok) for _, _, _, text, ok in found] == [
        ("declared 2, enabled 1; not enabled: centos-openstack-ocata; gpgcheck off: mine", False),
        (f"not imported: /etc/pki/rpm-gpg/RPM-GPG-KEY-mine ({MESSAGING_KEY})", False),
    ]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ("FileNotFoundError: rpm", "FileNotFoundError: rpm"),
        ({"/etc/yum.repos.d/a.repo": "x"}, "/etc/yum.repos.d/a.repo can't be read: File contains no section"),
    ],
)
def test_repositories_that_can_not_be_read(tmp_path, files, found):
    [(_, check, _, text, ok)] = repositories(tmp_path, files)[0]
    assert (check, ok) == ("enabled", False)
    assert text.startswith(found)


def test_epel_beside_rdo_is_a_warning(tmp_path):
    names = ["openstack-ocata", "centos-rabbitmq-38", "centos-nfv-openvswitch", "crb", "epel"]
    files = {"/etc/yum.repos.d/a.repo": "".join(f"[{name}]\ngpgcheck=1\n" for name in names)}
    checks, warnings = repositories(tmp_path, files, package_source="rdo")
    assert checks[0][3:] == ("declared 4, enabled 5; not declared: epel", True)
    assert [text for text in warnings if "EPEL" in text] == [
        "controller: EPEL is enabled beside RDO (epel): its newer libraries break RDO's packages; "
        "yum_repositories = {'epel': {'enabled': False}} switches it off"
    ]


@pytest.fixture
def balanced(tmp_path):
    """A cloud behind two load balancers, and what those answer when all is well."""
    cloud = clouds.cloud(tmp_path, {**clouds.HOSTS, **clouds.BALANCERS}, virtual_address="192.168.56.240")
    servers = [
        {"proxy": front.name, "server": name, "status": "UP", "check": "L7OK"}
        for front in frontends(cloud)
        for name, _ in front.servers
    ]
    hosts = {
        name: {
            "holds": name == "lb2",
            "servers": copy.deepcopy(servers),
            "ports": {f"{port.address}:{port.port}": None for port in expected.ports(cloud)},
            "units": {},
        }
        for name in clouds.BALANCERS
    }
    return cloud, hosts


def verdict_on_balancers(cloud, hosts, **more):
    checks = judge(cloud, Answers(hosts=hosts, **more)).checks
    return {
        (check.host, check.check): (check.found, check.ok)
        for check in checks
        if check.section == "Load balancers"
    }


def test_one_load_balancer_holds_the_address_and_all_servers_are_up(balanced):
    found = verdict_on_balancers(*balanced)
    assert found["192.168.56.240", "held by"] == ("lb2", True)
    assert found["lb1", "openstack_mysql: mysql"] == ("UP", True)
    assert found["lb2", "horizon: horizon1"] == ("UP", True)
    assert all(ok for _, ok in found.values())


@pytest.mark.parametrize(
    ("holders", "text"), [((), "nobody"), (("lb1", "lb2"), "lb1 and lb2")], ids=["nobody", "both"]
)
def test_an_address_that_nobody_or_everybody_holds(balanced, holders, text):
    cloud, hosts = balanced
    for name, answer in hosts.items():
        answer["holds"] = name in holders
    assert verdict_on_balancers(cloud, hosts)["192.168.56.240", "held by"] == (text, False)


def test_a_server_that_is_down_and_one_that_haproxy_does_not_know(balanced):
    cloud, hosts = balanced
    hosts["lb1"]["servers"][0].update(status="DOWN", check="L4CON Connection refused")
    del hosts["lb2"]["servers"][0]
    found = verdict_on_balancers(cloud, hosts)
    assert found["lb1", "openstack_mysql: mysql"] == ("DOWN (L4CON Connection refused)", False)
    assert found["lb2", "openstack_mysql: mysql"] == ("unknown to haproxy", False)
    assert sum(not ok for _, ok in found.values()) == 2


def test_a_load_balancer_that_is_gone(balanced):
    cloud, hosts = balanced
    del hosts["lb1"]
    found = verdict_on_balancers(cloud, hosts)
    assert found["192.168.56.240", "held by"] == ("lb2; lb1: unreachable over SSH", True)
    assert found["lb1", "openstack_mysql: mysql"] == ("unreachable over SSH", False)
    assert found["lb2", "openstack_mysql: mysql"] == ("UP", True)


def test_a_load_balancer_outside_the_limit_may_hold_the_address(balanced):
    cloud, hosts = balanced
    report = judge(cloud, Answers(hosts={"lb1": hosts["lb1"]}, left_out=["lb2"]))
    assert "192.168.56.240: a load balancer outside --limit may hold it" in report.warnings
    assert "192.168.56.240" not in {check.host for check in report.checks}


# -- several database hosts

SYNCED = {
    "wsrep_cluster_status": "Primary",
    "wsrep_cluster_size": "3",
    "wsrep_local_state_comment": "Synced",
    "wsrep_ready": "ON",
}


@pytest.fixture
def members(tmp_path):
    """(the cloud, answers of three healthy members alone)."""
    cloud = clouds.cloud(tmp_path, clouds.CLUSTER_HOSTS, **clouds.VIRTUAL)
    nodes = [f"rabbit@{name}" for name in clouds.MEMBERS]
    queue = {"members": nodes, "running": nodes, "partitions": [], "leaderless": [], "leaders": {nodes[1]: 4}}
    database = {"status": SYNCED, "saved": None, "active": "active"}
    found = Answers(
        hosts={name: copy.deepcopy({"galera": database, "rabbitmq": queue}) for name in clouds.MEMBERS}
    )
    return cloud, found


def cluster_checks(cloud, answers):
    return [c for c in judge(cloud, answers).checks if c.section == "Clusters"]


def test_whole_clusters_pass(members):
    checks = cluster_checks(*members)
    assert all(check.ok for check in checks)
    assert [(c.host, c.check, c.found) for c in checks[:3]] == [
        ("db1", "MariaDB", "Primary, Synced, 3 of 3 members"),
        ("db1", "RabbitMQ", "3 of 3 members, no partition"),
        ("db1", "quorum queues", "leaders of quorum queues: db2 4"),
    ]
    assert len(checks) == 7


@pytest.mark.parametrize(
    ("part", "changes", "found"),
    [
        ("galera", {"status": {**SYNCED, "wsrep_cluster_size": "2"}}, "Primary, Synced, 2 of 3 members"),
        (
            "galera",
            {"status": {**SYNCED, "wsrep_cluster_status": "non-Primary", "wsrep_ready": "OFF"}},
            "non-Primary, Synced, 3 of 3 members, not ready",
        ),
        ("galera", {"status": None}, "no answer, no answer, 0 of 3 members, not ready"),
        ("galera", {"error": "RuntimeError: Access denied"}, "RuntimeError: Access denied"),
        ("rabbitmq", {"running": ["rabbit@db1"]}, "1 of 3 members, no partition"),
        ("rabbitmq", {"partitions": ["rabbit@db2"]}, "3 of 3 members, partitions: rabbit@db2"),
        ("rabbitmq", {"members": None, "running": []}, "0 of 0 members, no partition"),
        ("rabbitmq", {"leaderless": ["reply_1"]}, "without a leader: reply_1"),
    ],
)
def test_faults_of_a_cluster(members, part, changes, found):
    cloud, answers = members
    answers.hosts["db1"][part] = changes if "error" in changes else {**answers.hosts["db1"][part], **changes}
    assert [(c.host, c.found) for c in cluster_checks(cloud, answers) if not c.ok] == [("db1", found)]


def test_a_member_that_is_gone(members):
    cloud, answers = members
    del answers.hosts["db3"]
    failed = [(c.host, c.check, c.found) for c in cluster_checks(cloud, answers) if not c.ok]
    assert failed == [
        ("db3", "MariaDB", "unreachable over SSH"),
        ("db3", "RabbitMQ", "unreachable over SSH"),
    ]
    answers.left_out = ["db3"]
    assert all(check.ok for check in cluster_checks(cloud, answers))


def test_one_database_host_is_no_cluster(cloud, answers):
    assert cluster_checks(cloud, answers) == []
