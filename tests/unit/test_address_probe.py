"""What a load balancer makes of the frames it hears; the lab's test sends real ones."""

import pytest

from operations.remote.address_probe import arp_answer, probe, vrrp_message

MAC = bytes.fromhex("020000000001")
# "10.63.0.10 is at 02:00:00:00:00:02", to 10.63.0.21.
ANSWER = bytes.fromhex(
    "020000000001 020000000002 0806 0001 0800 06 04 0002 020000000002 0a3f000a 020000000001 0a3f0015"
)
# keepalived's, version 2: group 68, priority 100, one address; and version 3, group 51.
VERSION_2 = bytes.fromhex(
    "01005e000012 00005e000144 0800 45c0002800010000ff70 0000 0a3f0016 e0000012"
    "21 44 64 01 01 01 0000 0a3f000a 6b656570616c6976"
)
VERSION_3 = bytes.fromhex(
    "01005e000012 00005e000133 0800 45c0002000010000ff70 0000 0a3f0002 e000001231 33 64 01 0064 0000 0a3f0009"
)


def test_a_probe_is_an_arp_request_of_nobody():
    frame = probe(MAC, "10.63.0.10")
    assert frame.hex() == (
        "ffffffffffff02000000000108060001080006040001020000000001000000000000000000000a3f000a"
    )
    # A question is no answer.
    assert arp_answer(frame) is None


def test_an_answer():
    assert arp_answer(ANSWER) == ("10.63.0.10", "02:00:00:00:00:02")
    assert vrrp_message(ANSWER) is None


@pytest.mark.parametrize(
    ("frame", "message"), [(VERSION_2, ("10.63.0.22", 68)), (VERSION_3, ("10.63.0.2", 51))]
)
def test_a_message(frame, message):
    assert vrrp_message(frame) == message
    assert arp_answer(frame) is None


@pytest.mark.parametrize("length", range(0, 34))
def test_what_is_cut_off_says_nothing(length):
    assert vrrp_message(VERSION_2[:length]) is None
    assert arp_answer(ANSWER[:length]) is None
