"""Runs on a load balancer before its first deploy: is the shared address free, and the VRRP group's number?

Plain Python 3.6, reads only: it sends ARP probes (RFC 5227), which change nobody's tables, and listens.
Request: ``{"interface": name, "own": address, "address": the shared one, "peers": [address of each other
load balancer, …], "unit": keepalived's, "seconds": how long to listen}``.
Answer: ``{"running": whether keepalived runs here: nothing was sent then, "holders": [{"mac": hardware
address that answers for the shared address, "peer": the load balancer that has it, or null}, …], "groups":
[{"source": address, "router_id": number}, …]: whose VRRP was heard}``.
"""

import socket
import struct
import subprocess
import time

ARP, IPV4, VRRP = 0x0806, 0x0800, 112
EVERY_PROTOCOL = 3  # ETH_P_ALL
GROUP = "224.0.0.18"  # VRRP's


def probe(own_mac, address):
    """A broadcast question who has an address, by somebody without one."""
    ethernet = b"\xff" * 6 + own_mac + struct.pack("!H", ARP)
    question = struct.pack("!HHBBH", 1, IPV4, 6, 4, 1)
    return ethernet + question + own_mac + b"\0" * 4 + b"\0" * 6 + socket.inet_aton(address)


def arp_answer(frame):
    """(address, hardware address) of an ARP answer, or None."""
    if len(frame) < 42 or frame[12:14] != struct.pack("!H", ARP) or frame[20:22] != b"\0\2":
        return None
    return socket.inet_ntoa(frame[28:32]), ":".join("%02x" % byte for byte in frame[22:28])


def vrrp_message(frame):
    """(source, router id) of a VRRP message over IPv4, or None. Version 2 and 3 begin alike."""
    if len(frame) < 34 or frame[12:14] != struct.pack("!H", IPV4) or frame[23] != VRRP:
        return None
    start = 14 + (frame[14] & 15) * 4
    if len(frame) < start + 2 or frame[start] & 15 != 1:
        return None
    return socket.inet_ntoa(frame[26:30]), frame[start + 1]


def main(request):
    active = (
        subprocess.run(["systemctl", "is-active", "--quiet", request["unit"]], timeout=20).returncode == 0
    )
    if active:
        return {"running": True, "holders": [], "groups": []}
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answers, heard = {}, set()
    try:
        wire.bind((request["interface"], EVERY_PROTOCOL))
        # A card hands on only what it is told to, and some switches ask who wants it.
        group = socket.inet_aton(GROUP) + socket.inet_aton(request["own"])
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        mac = wire.getsockname()[4]
        now = time.monotonic()
        end, ask = now + request["seconds"], now
        while now < end:
            if now >= ask:
                for address in [request["address"]] + request["peers"]:
                    wire.send(probe(mac, address))
                ask = now + 1
            wire.settimeout(max(0.01, min(ask, end) - now))
            try:
                frame = wire.recv(2048)
            except socket.timeout:
                frame = b""
            answer, message = arp_answer(frame), vrrp_message(frame)
            if answer:
                answers.setdefault(answer[0], set()).add(answer[1])
            if message:
                heard.add(message)
            now = time.monotonic()
    finally:
        wire.close()
        member.close()
    peers = {known: peer for peer in request["peers"] for known in answers.get(peer, ())}
    return {
        "running": False,
        "holders": [
            {"mac": known, "peer": peers.get(known)} for known in sorted(answers.get(request["address"], ()))
        ],
        "groups": [{"source": source, "router_id": number} for source, number in sorted(heard)],
    }
