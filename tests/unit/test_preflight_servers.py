"""Which servers a host asks, and what their answers mean."""

import copy
from dataclasses import replace

import clouds
import pytest
from states import GOOD, problems, row

from cloud.preflight_servers import request, server_lines

SETTINGS = {"ntp_servers": ["192.168.56.1", "time.example"], "dns_servers": ["192.168.56.2"]}
SILENT = {"error": "no answer within 4 s"}
TIME = {"address": "192.168.56.1", "seconds": 0.0031, "offset": 0.002, "stratum": 3}
NAMES = {"seconds": 0.0124, "code": "NOERROR", "tcp": False}
ANSWER = {
    "time": {"192.168.56.1": TIME, "time.example": {**TIME, "address": "192.0.2.9"}},
    "names": {"192.168.56.1": NAMES, "192.168.56.2": {**NAMES, "code": "NXDOMAIN", "tcp": True}},
}


@pytest.fixture
def model(tmp_path):
    """A function: the arguments of both functions, for a host of a cloud with these settings."""

    def model(host="controller", settings=SETTINGS, **state):
        cloud = clouds.cloud(tmp_path, copy.deepcopy(clouds.HOSTS), **settings)
        return cloud, cloud.node(host), replace(GOOD, **state)

    return model


def test_what_a_controller_asks(model):
    assert request(*model()) == {
        "time": ["192.168.56.1", "time.example"],
        "names": ["192.168.56.1", "192.168.56.2"],
        "question": "time.example",
        "seconds": 4,
    }


def test_what_another_host_asks(model):
    """Its time servers are the controllers, and those have no chrony yet."""
    found = request(*model("compute"))
    assert (found["time"], found["names"]) == ([], ["192.168.56.1"])
    assert request(*model("compute", resolvers=())) is None


@pytest.mark.parametrize(
    ("settings", "state", "name"),
    [
        ({}, {}, "mirror.example"),
        ({"ntp_servers": ["10.0.0.1"]}, {}, "mirror.example"),
        ({}, {"apt": {}}, ""),
        ({}, {"apt": {"a.list": "deb http://10.0.0.1/debian trixie main\n"}}, ""),
        ({"platform": "el", "release": "caracal"}, {}, "mirror.stream.centos.org"),
        ({"platform": "el", "release": "caracal", "yum_mirror": "http://m.example/c"}, {}, "m.example"),
    ],
)
def test_the_name_that_is_looked_up_is_one_that_the_host_needs(model, settings, state, name):
    assert request(*model(settings=settings, **state))["question"] == name


def test_good_answers(model):
    found = [(line.check, line.wanted, line.found, line.verdict) for line in server_lines(*model(), ANSWER)]
    assert found == [
        ("ntp_servers", "192.168.56.1", "3.1 ms, offset +0.002 s, stratum 3", "ok"),
        ("ntp_servers", "time.example", "192.0.2.9, 3.1 ms, offset +0.002 s, stratum 3", "ok"),
        ("resolv.conf", "192.168.56.1", "12.4 ms, NOERROR for time.example", "ok"),
        ("dns_servers", "192.168.56.2", "12.4 ms, NXDOMAIN for time.example, over TCP", "ok"),
    ]


@pytest.fixture
def one(model):
    """A function: the line of the only time server."""

    def one(found, **state):
        arguments = model(settings={"ntp_servers": ["time.example"]}, resolvers=(), **state)
        return row(server_lines(*arguments, {"time": {"time.example": found}, "names": {}}), "ntp_servers")

    return one


def test_a_silent_time_server_refuses_a_first_deploy(one):
    cure = "name one in ntp_servers whose name this host can look up and that answers it at 123/udp"
    assert one(SILENT) == ("time.example", "time.example: no answer within 4 s", "refused", cure)
    # A cloud that is there goes on without it: nothing else of it may wait for its repair.
    assert one(SILENT, installed=True)[2] == "warning"


def test_of_several_time_servers_one_is_enough(model):
    def verdicts(first, second):
        answer = {**ANSWER, "time": {"192.168.56.1": first, "time.example": second}}
        return [line.verdict for line in server_lines(*model(), answer) if line.check == "ntp_servers"]

    assert verdicts(TIME, SILENT) == ["ok", "warning"]
    assert verdicts(SILENT, SILENT) == ["refused", "refused"]


def test_a_clock_that_is_off(one):
    wrong = {**TIME, "offset": -0.7}
    assert one(wrong) == (
        "time.example, within 0.5 s", "192.168.56.1, 3.1 ms, offset -0.700 s, stratum 3", "will be set",
        "chrony steps the host's clock when the deploy starts it",
    )  # fmt: skip
    assert one(wrong, installed=True)[2] == "warning"
    # Half of the way there and back is not held against it.
    assert one({**wrong, "seconds": 0.5})[2] == "ok"


def test_a_cloud_without_time_servers(model):
    settings = {**SETTINGS, "ntp_servers": []}
    answer = {**ANSWER, "time": {}}
    assert row(server_lines(*model(settings=settings), answer), "ntp_servers")[2] == "warning"
    others = server_lines(*model("compute", settings), {"time": {}, "names": {"192.168.56.1": NAMES}})
    assert [line.check for line in others] == ["resolv.conf"]


def test_the_hosts_own_name_servers(model):
    def verdicts(first, second, **state):
        names = {"192.168.56.1": first, "10.0.0.1": second}
        arguments = model("compute", resolvers=tuple(names), **state)
        return [line.verdict for line in server_lines(*arguments, {"time": {}, "names": names})]

    assert verdicts(NAMES, NAMES) == ["ok", "ok"]
    assert verdicts(NAMES, SILENT) == ["ok", "warning"]
    assert verdicts(SILENT, SILENT) == ["refused", "refused"]
    assert verdicts(SILENT, SILENT, installed=True) == ["warning", "warning"]


def test_a_host_without_a_name_server(model):
    (line,) = server_lines(*model("compute", resolvers=()), None)
    assert (line.check, line.found, line.verdict) == ("resolv.conf", "no name server", "warning")


def test_a_dead_name_server_of_the_instances_is_a_warning(model):
    wrong = {"error": "it answers REFUSED for time.example"}
    answer = {**ANSWER, "names": {"192.168.56.1": NAMES, "192.168.56.2": wrong}}
    assert row(server_lines(*model(), answer), "dns_servers") == (
        "192.168.56.2", "192.168.56.2: it answers REFUSED for time.example", "warning",
        "instances will ask it: name one in dns_servers that answers, or try it from an instance",
    )  # fmt: skip


def test_a_host_that_can_not_ask(model):
    assert problems(server_lines(*model(), "Permission denied")) == [
        "time and name servers: can't be read: Permission denied; correct what it says"
    ]
