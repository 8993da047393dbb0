"""The program that runs on the first controller, against a fake of the APIs."""

import hashlib

import pytest

pytest.importorskip("openstack", reason="needs openstacksdk")

from openstack.exceptions import NotFoundException

from operations.remote import sdk_resources as program

pytestmark = pytest.mark.filterwarnings("ignore")


class Apis:
    """Answers from a list, one call after the other, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []

    def call(self, service, method, path, project=None, **more):
        data = more.pop("data", None)
        self.calls.append((service, method, path, project, more))
        if data is not None:
            self.received = b"".join(data)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(program.time, "sleep", lambda seconds: None)


def test_refs_become_ids():
    value = {"a": [{"ref": "networks:b"}], "c": {"ref": "project:d"}, "e": {"ref": "x", "other": 1}}
    known = {"networks:b": "1", "project:d": "2"}
    assert program.resolve(value, known) == {"a": ["1"], "c": "2", "e": {"ref": "x", "other": 1}}


def test_a_step_makes_what_the_next_one_needs():
    apis, known = Apis({"network": {"id": "n"}}, {"ports": [{"id": "p"}]}), {}
    step = {"service": "network", "method": "POST", "path": ["/networks"], "json": {}}
    program.take(apis, {**step, "makes": "networks:a", "envelope": "network"}, known)
    path = ["/ports?network_id=", {"ref": "networks:a"}]
    program.take(
        apis,
        {"service": "network", "method": "GET", "path": path, "makes": "port of:b", "envelope": "ports"},
        known,
    )
    assert known == {"networks:a": "n", "port of:b": "p"}
    assert apis.calls[1][2] == "/ports?network_id=n"


def wait(apis, **more):
    waiting = {"service": "compute", "path": "/servers/s", "project": None, "want": ["ACTIVE"]}
    waiting |= {"fail": ["ERROR"], "seconds": 60, "envelope": "server"}
    program.wait(apis, **{**waiting, **more})


def test_a_wait_ends_with_the_wanted_status():
    wait(Apis({"server": {"status": "BUILD"}}, {"server": {"status": "ACTIVE"}}))


def test_a_wait_tells_why_it_failed():
    fault = {"status": "ERROR", "fault": {"message": "No valid host was found."}}
    with pytest.raises(program.Failed, match="it is ERROR: No valid host was found"):
        wait(Apis({"server": fault}))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"messages": [{"user_message": "schedule allocate volume: No backend."}]}, "volume: No backend"),
        ({"messages": []}, "the API says no more"),
        (NotFoundException("no"), "the API says no more"),
    ],
)
def test_cinder_tells_why_in_a_message(answer, words):
    """Seen: a volume that no backend took was "error", and nothing else."""
    apis = Apis({"volume": {"id": "v", "status": "error"}}, answer)
    where = {"service": "block_storage", "path": "/volumes/v", "project": "demo", "envelope": "volume"}
    with pytest.raises(program.Failed, match=f"it is error: .*{words}"):
        wait(apis, **where, want=["available"], fail=["error"])
    assert apis.calls[1][:4] == ("block_storage", "GET", "/messages?resource_uuid=v", "demo")


def test_a_wait_has_a_limit():
    with pytest.raises(program.Failed, match="it is still BUILD after 0 s"):
        wait(Apis({"server": {"status": "BUILD"}}), seconds=0)


def test_what_is_gone_is_gone():
    wait(Apis({"server": {"status": "ACTIVE"}}, NotFoundException("no")), want=["gone"])
    step = {"service": "network", "method": "DELETE", "path": ["/networks/n"]}
    program.take(Apis(NotFoundException("no")), step, {})


@pytest.fixture
def content(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(b"a disk" * 1000)
    return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_an_upload_is_held_against_glances_hash(content):
    digest = hashlib.sha512(b"a disk" * 1000).hexdigest()
    apis = Apis({}, {"os_hash_algo": "sha512", "os_hash_value": digest})
    program.upload(apis, "i", content)
    assert apis.received == b"a disk" * 1000


@pytest.mark.parametrize(
    ("stored", "sha256", "words"),
    [
        ({"os_hash_algo": "sha512", "os_hash_value": "0"}, None, "glance stored something else"),
        ({"os_hash_algo": "md5", "os_hash_value": "0"}, None, "glance stored something else: its md5"),
        ({}, "0", "the content changed on the way"),
    ],
)
def test_no_image_stays_of_a_wrong_upload(content, stored, sha256, words):
    apis = Apis({}, stored, {})
    with pytest.raises(program.Failed, match=words):
        program.upload(apis, "i", {**content, "sha256": sha256 or content["sha256"]})
    assert apis.calls[-1][:3] == ("image", "DELETE", "/images/i")


def test_a_fetched_file_with_a_wrong_checksum(content, tmp_path):
    url = "file://" + content["path"]
    program.fetch(url, str(tmp_path / "copy"), content["sha256"])
    with pytest.raises(program.Failed, match="has the checksum"):
        program.fetch(url, str(tmp_path / "copy"), "0" * 64)


def test_lists_are_read_to_their_last_page():
    apis = Apis(
        {"images": [1], "next": "/v2/images?marker=1"},
        {"images": [2]},
        {"servers": [3], "servers_links": [{"rel": "next", "href": "/servers?marker=3"}]},
        {"servers": [4]},
    )
    assert program.Apis.list(apis, "image", "/images", "images") == [1, 2]
    assert program.Apis.list(apis, "compute", "/servers", "servers") == [3, 4]
    assert [call[2] for call in apis.calls[:2]] == ["/images", "/images?marker=1"]


def test_two_runs_at_once_are_refused(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as first, path.open("w") as second:
        program.be_alone(first, 0)
        with pytest.raises(program.Failed, match="an earlier run is still at work here"):
            program.be_alone(second, 0)
