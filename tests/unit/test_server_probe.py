"""Time and name servers on the loopback that answer, keep silent, and answer with what must not count."""

import contextlib
import socket
import struct
import threading
import time

import pytest

from operations.remote import server_probe

NAME = "deb.example.org"
ADDRESS = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton("192.0.2.7")


@contextlib.contextmanager
def udp(answer):
    """A server whose answers to a question are what ``answer`` gives: a list of messages; its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))

        def serve():
            while True:
                question, client = wire.recvfrom(4096)
                if not question:
                    return
                for message in answer(question):
                    wire.sendto(message, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield wire.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", wire.getsockname())
            thread.join()


@contextlib.contextmanager
def tcp(port, answer):
    """A server at one port that reads a question and sends what ``answer`` gives, length and all."""
    with socket.create_server(("127.0.0.1", port)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    wire, _ = server.accept()
                    with wire:
                        question = wire.recv(4096)[2:]
                        # In two parts, as a network may deliver it.
                        message = answer(question)
                        wire.sendall(message[:1])
                        time.sleep(0.01)
                        wire.sendall(message[1:])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def stamp(seconds):
    """An NTP time stamp."""
    seconds += server_probe.EPOCH
    return struct.pack("!II", int(seconds) & 0xFFFFFFFF, int(seconds % 1 * 2**32))


def time_message(question, leap=0, mode=4, stratum=3, originate=None, ahead=0.0, reference=b"\x0a\0\0\1"):
    assert question[0] == 0x23  # version 4, mode 3
    assert question[1:40] == bytes(39)
    now = stamp(time.time() + ahead)
    first = bytes([leap << 6 | 4 << 3 | mode, stratum, 6, 0xE9])
    return first + bytes(8) + reference + now + (originate or question[40:48]) + now + now


@pytest.fixture
def asked(monkeypatch):
    """A function: the answer about a time server at a port."""

    def asked(port, server="127.0.0.1", seconds=1.5):
        monkeypatch.setattr(server_probe, "NTP_PORT", port)
        request = {"time": [server], "names": [], "question": "", "seconds": seconds}
        return server_probe.main(request)["time"][server]

    return asked


def test_a_time_server_that_answers(asked):
    with udp(lambda question: [time_message(question, ahead=2.5)]) as port:
        found = asked(port)
    assert found["stratum"] == 3
    assert found["address"] == "127.0.0.1"
    assert 0 < found["seconds"] < 0.5
    assert found["offset"] == pytest.approx(2.5, abs=0.2)


def test_it_may_have_a_name(asked):
    with udp(lambda question: [time_message(question)]) as port:
        assert asked(port, "localhost")["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stratum": 0, "reference": b"RATE"}, "it turns us away (RATE)"),
        ({"leap": 3, "stratum": 3}, "it does not know the time itself (stratum 3, leap 3)"),
        ({"stratum": 16}, "it does not know the time itself (stratum 16, leap 0)"),
        # Somebody who did not see the question.
        ({"originate": b"12345678"}, "what comes from there is no answer to the question"),
        ({"mode": 3}, "what comes from there is no answer to the question"),
        ({"mode": 5}, "what comes from there is no answer to the question"),
    ],
)
def test_an_answer_that_does_not_count(asked, changes, reason):
    with udp(lambda question: [time_message(question, **changes)]) as port:
        assert asked(port, seconds=0.3) == {"error": reason}


def test_garbage_before_the_answer(asked):
    def answer(question):
        return [b"x", bytes(48), time_message(question, originate=bytes(8)), time_message(question)]

    with udp(answer) as port:
        assert asked(port)["stratum"] == 3
    with udp(lambda _: [b"garbage" * 9]) as port:
        assert "is no answer" in asked(port, seconds=0.3)["error"]


def test_a_lost_question_is_asked_again(asked):
    questions = []

    def answer(question):
        questions.append(question)
        return [time_message(question)] if len(questions) > 1 else []

    with udp(answer) as port:
        found = asked(port)
    assert len(set(questions)) == 2
    # That of the second one.
    assert found["seconds"] < 0.5


def test_silence(asked):
    began = time.monotonic()
    with udp(lambda _: []) as port:
        assert asked(port, seconds=0.3) == {"error": "no answer within 0.3 s"}
    assert time.monotonic() - began < 1


def test_a_closed_port_is_told_from_silence(asked):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        port = wire.getsockname()[1]
    began = time.monotonic()
    assert asked(port) == {"error": "refused: nothing listens there"}
    # Nobody waits for it.
    assert time.monotonic() - began < 1


def test_a_name_that_nobody_knows(asked, monkeypatch):
    def unknown(*_):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert asked(1, "time.invalid") == {"error": "its name is not resolved: Name or service not known"}


def test_a_look_up_that_takes_for_ever_holds_nobody_up(monkeypatch):
    end, known = threading.Event(), socket.getaddrinfo

    def look_up(name, *more):
        if name == "slow":
            end.wait()
            return []
        return known(name, *more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with udp(lambda question: [time_message(question)]) as port:
        monkeypatch.setattr(server_probe, "NTP_PORT", port)
        request = {"time": ["slow", "127.0.0.1"], "names": [], "question": "", "seconds": 0.3}
        found = server_probe.main(request)["time"]
    end.set()
    assert found["slow"] == {"error": "its name is not resolved within 0.3 s"}
    assert found["127.0.0.1"]["stratum"] == 3


@pytest.mark.parametrize("seconds", [0.0, 1e9, 1784793600.25, 2**32 - server_probe.EPOCH + 5.5])
def test_a_clock_goes_on_after_2036(seconds):
    assert server_probe.clock(stamp(seconds)) == pytest.approx(seconds, abs=1e-6)


# Names.


def name_message(question, code=0, cut=False, key=None, about=None, response=True, count=1):
    assert question[2:12] == b"\1\0\0\1\0\0\0\0\0\0"
    flags = (0x8180 if response else 0x0100) | (0x0200 if cut else 0) | code
    records = b"" if cut or code else ADDRESS
    header = struct.pack("!HHHHH", flags, count, 1 if records else 0, 0, 0)
    return (key or question[:2]) + header + (question[12:] if about is None else about) + records


@pytest.fixture
def named(monkeypatch):
    """A function: the answer about a name server at a port."""

    def named(port, question=NAME, seconds=1.5):
        monkeypatch.setattr(server_probe, "DNS_PORT", port)
        request = {"time": [], "names": ["127.0.0.1"], "question": question, "seconds": seconds}
        return server_probe.main(request)["names"]["127.0.0.1"]

    return named


def test_questions():
    assert server_probe.question_about(NAME) == b"\3deb\7example\3org\0\0\1\0\1"
    assert server_probe.question_about("") == b"\0\0\2\0\1"


@pytest.mark.parametrize(("code", "word"), [(0, "NOERROR"), (3, "NXDOMAIN")])
def test_a_name_server_that_answers(named, code, word):
    with udp(lambda question: [name_message(question, code)]) as port:
        found = named(port)
    assert 0 < found.pop("seconds") < 0.5
    assert found == {"code": word, "tcp": False}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": 2}, f"it answers SERVFAIL for {NAME}"),
        ({"code": 5}, f"it answers REFUSED for {NAME}"),
        ({"code": 1, "count": 0, "about": b""}, f"it answers FORMERR for {NAME}"),
        ({"code": 9}, f"it answers code 9 for {NAME}"),
        ({"response": False}, "what comes from there is no answer to the question"),
        ({"about": b"\3foo\0\0\1\0\1"}, "what comes from there is no answer to the question"),
        ({"count": 0, "about": b""}, "what comes from there is no answer to the question"),
    ],
)
def test_an_answer_of_no_use(named, changes, reason):
    with udp(lambda question: [name_message(question, **changes)]) as port:
        assert named(port, seconds=0.3) == {"error": reason}


def test_the_root_has_no_name(named):
    with udp(lambda question: [name_message(question, 5)]) as port:
        assert named(port, "") == {"error": "it answers REFUSED for the root"}


def test_an_answer_with_another_number_does_not_count(named):
    def answer(question):
        other = bytes([question[0] ^ 1, question[1]])
        return [b"", b"short", name_message(question, 2, key=other), name_message(question)]

    with udp(answer) as port:
        assert named(port)["code"] == "NOERROR"


def test_a_name_server_that_is_silent_or_not_there(named):
    with udp(lambda _: []) as port:
        assert named(port, seconds=0.3) == {"error": "no answer within 0.3 s"}
    assert named(port) == {"error": "refused: nothing listens there"}


def measured(message):
    return struct.pack("!H", len(message)) + message


def test_an_answer_that_is_too_long_comes_over_tcp(named):
    with udp(lambda question: [name_message(question, cut=True)]) as port:
        with tcp(port, lambda question: measured(name_message(question))):
            found = named(port)
        assert found.pop("seconds") < 0.5
        assert found == {"code": "NOERROR", "tcp": True}
        with tcp(port, lambda question: measured(name_message(question, 2))):
            assert named(port) == {"error": f"it answers SERVFAIL for {NAME}"}
        with tcp(port, lambda question: measured(name_message(question))[:9]):
            assert named(port) == {"error": "what comes from there over TCP is no answer to the question"}
        assert named(port) == {
            "error": "its answer is too long for UDP, and over TCP: refused: nothing listens there"
        }


def test_all_are_asked_at_once(monkeypatch):
    with udp(lambda _: []) as silent, udp(lambda question: [name_message(question)]) as port:
        monkeypatch.setattr(server_probe, "NTP_PORT", silent)
        monkeypatch.setattr(server_probe, "DNS_PORT", port)
        request = {"time": ["127.0.0.1", "127.0.0.2", "127.0.0.3"], "names": ["127.0.0.1"]}
        began = time.monotonic()
        found = server_probe.main({**request, "question": NAME, "seconds": 0.5})
    assert time.monotonic() - began < 1.2
    assert list(found["time"]) == request["time"]
    assert found["time"]["127.0.0.1"] == {"error": "no answer within 0.5 s"}
    assert found["time"]["127.0.0.2"] == {"error": "refused: nothing listens there"}
    assert found["names"]["127.0.0.1"]["code"] == "NOERROR"


def test_no_server_at_all():
    request = {"time": [], "names": [], "question": "", "seconds": 1}
    assert server_probe.main(request) == {"time": {}, "names": {}}
