"""Runs on a host before a deploy: do its time and name servers answer, and how fast? Plain Python 3.6.

Reads only: each server gets one real question a second until it answers, all of them at once.
Request: ``{"time": [name or address of an NTP server, …], "names": [address of a DNS server, …], "question":
the name to look up there, "" for the root's name servers, "seconds": how long each may take, the look-up of
its own name included}``.
Answer: ``{"time": {server: {"address": which answered, "seconds": there and back, "offset": seconds that its
clock is ahead of ours, "stratum": number}, …}, "names": {address: {"seconds", "code": "NOERROR" or
"NXDOMAIN", "tcp": whether the answer was too long for UDP}, …}}``, with ``{"error": words}`` for a server
without a usable answer.

Sources: RFC 4330, 4 and 5 (what a client asks and must check); RFC 1035, 4.1 and 4.2; RFC 7766 (TCP).
"""

import os
import select
import socket
import struct
import threading
import time

NTP_PORT, DNS_PORT = 123, 53
CLIENT, SERVER = 3, 4  # NTP's modes
UNSYNCHRONIZED = 3  # its leap indicator's alarm
EPOCH = 2208988800  # seconds from 1900 to 1970
ADDRESS_RECORD, NAME_SERVERS, INTERNET = 1, 2, 1
CODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
# NXDOMAIN is an answer, too: somebody has looked.
ANSWERS = ("NOERROR", "NXDOMAIN")


def words(error):
    if isinstance(error, ConnectionRefusedError):
        return "refused: nothing listens there"
    return error.strerror or type(error).__name__


def exchange(places, compose, judge, seconds, end):
    """(what ``judge`` made of the first answer that counts, the address it came from).

    Args:
        places: ``socket.getaddrinfo``'s lines: one server's addresses, which are all asked.
        compose: makes a question, (key, bytes).
        judge: takes an answer, {key: (clock, monotonic) when it was sent}, and the same of its arrival; None
            when the answer is to no question of ours.
        seconds, end: how long it may take, for the message, and when that is over.

    Raises:
        RuntimeError: why there is no answer.
    """
    wires, sent, again, reason = [], {}, 0, "no answer within %g s" % seconds
    try:
        for family, kind, protocol, _, place in places:
            wire = socket.socket(family, kind, protocol)
            wires.append(wire)
            try:
                # The kernel then takes no answer from anybody else, and tells when the port is closed.
                wire.connect(place)
            except OSError as error:
                reason = words(error)
                wires.remove(wire)
                wire.close()
        now = time.monotonic()
        while wires and now < end:
            lost = []
            if now >= again:
                key, question = compose()
                sent[key], again = (time.time(), now), now + 1
                for wire in wires:
                    try:
                        wire.send(question)
                    except OSError as error:
                        reason = words(error)
                        lost.append(wire)
            for wire in select.select(wires, [], [], max(0, min(again, end) - now))[0]:
                try:
                    answer = wire.recv(4096)
                except OSError as error:
                    reason = words(error)
                    lost.append(wire)
                    continue
                found = judge(answer, sent, (time.time(), time.monotonic()))
                if found is not None:
                    return found, wire.getpeername()[0]
                reason = "what comes from there is no answer to the question"
            for wire in set(lost):
                wires.remove(wire)
                wire.close()
            now = time.monotonic()
    finally:
        for wire in wires:
            wire.close()
    raise RuntimeError(reason)


# Time.


def time_question():
    """A client's question. Its time stamp is random: it only has to come back, and tells nobody our clock."""
    stamp = os.urandom(8)
    return stamp, struct.pack("!B39x", 4 << 3 | CLIENT) + stamp


def clock(stamp):
    """Seconds since 1970 of an NTP time stamp; those that look older than 1968 are from 2036 on."""
    whole, part = struct.unpack("!II", stamp)
    return whole + (0 if whole & 0x80000000 else 1 << 32) - EPOCH + part / float(1 << 32)


def time_answer(answer, sent, arrived):
    if len(answer) < 48 or answer[0] & 7 != SERVER or answer[24:32] not in sent:
        return None
    began, ended = sent[answer[24:32]], arrived
    leap, stratum = answer[0] >> 6, answer[1]
    if stratum == 0:
        # The "kiss of death": a code takes the place of the reference.
        code = answer[12:16].decode("ascii", "replace").strip("\0")
        raise RuntimeError("it turns us away (%s)" % code)
    if leap == UNSYNCHRONIZED or stratum > 15:
        raise RuntimeError("it does not know the time itself (stratum %d, leap %d)" % (stratum, leap))
    there = [clock(answer[start : start + 8]) for start in (32, 40)]
    offset = (there[0] - began[0] + there[1] - ended[0]) / 2
    return {"seconds": ended[1] - began[1], "offset": offset, "stratum": stratum}


def ask_time(server, seconds, end):
    try:
        places = socket.getaddrinfo(server, NTP_PORT, 0, socket.SOCK_DGRAM)
    except socket.gaierror as error:
        raise RuntimeError("its name is not resolved: %s" % error.strerror) from None
    found, address = exchange(places, time_question, time_answer, seconds, end)
    found["address"] = address
    return found


# Names.


def question_about(name):
    """The part of a DNS message that asks for a name's address, or for the name servers of the root."""
    labels = [label.encode("ascii") for label in name.split(".") if label]
    asked = b"".join(struct.pack("!B", len(label)) + label for label in labels) + b"\0"
    return asked + struct.pack("!HH", ADDRESS_RECORD if labels else NAME_SERVERS, INTERNET)


def ask_names(server, name, seconds, end):
    asked = question_about(name)

    def compose():
        key = os.urandom(2)
        # Recursion is wanted; one question.
        return key, key + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + asked

    def judge(answer, sent, arrived):
        if len(answer) < 12 or answer[:2] not in sent or not answer[2] & 0x80:
            return None
        code, cut = CODES.get(answer[3] & 15, "code %d" % (answer[3] & 15)), bool(answer[2] & 2)
        # What refuses a question does not always repeat it.
        repeated = answer[12 : 12 + len(asked)].lower() == asked.lower()
        if not repeated and (code in ANSWERS or answer[4:6] != b"\0\0"):
            return None
        if code not in ANSWERS:
            raise RuntimeError("it answers %s for %s" % (code, name or "the root"))
        return {"seconds": arrived[1] - sent[answer[:2]][1], "code": code, "tcp": cut}

    places = socket.getaddrinfo(server, DNS_PORT, 0, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)
    found = exchange(places, compose, judge, seconds, end)[0]
    if not found["tcp"]:
        return found
    key, question = compose()
    began, left = time.monotonic(), end - time.monotonic()
    try:
        with socket.create_connection((server, DNS_PORT), timeout=max(0.1, left)) as wire:
            wire.sendall(struct.pack("!H", len(question)) + question)
            answer = read_whole(wire)
    except OSError as error:
        raise RuntimeError("its answer is too long for UDP, and over TCP: %s" % words(error)) from None
    found = judge(answer, {key: (0, began)}, (0, time.monotonic()))
    if found is None:
        raise RuntimeError("what comes from there over TCP is no answer to the question")
    found["tcp"] = True
    return found


def read_whole(wire):
    """A DNS message over TCP: its length comes first; what is there of it when the connection ends."""
    found, size = b"", 2
    while len(found) < size:
        more = wire.recv(size - len(found))
        if not more:
            break
        found += more
        if len(found) == 2 and size == 2:
            size += struct.unpack("!H", found)[0]
    return found[2:]


def together(jobs, seconds, end):
    """The answers of jobs that run at once; one that is not back at the end waits for its name's look-up."""
    answers = {}

    def run(key, function, arguments):
        try:
            answers[key] = function(*arguments)
        except (RuntimeError, OSError, UnicodeError, ValueError) as error:
            answers[key] = {"error": str(error) or type(error).__name__}

    threads = []
    for key, (function, arguments) in jobs.items():
        # A look-up can't be called off: the program ends without it.
        thread = threading.Thread(target=run, args=(key, function, arguments))
        thread.daemon = True
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(max(0, end - time.monotonic()) + 0.2)
    late = {"error": "its name is not resolved within %g s" % seconds}
    return {key: answers.get(key, late) for key in jobs}


def main(request):
    seconds = request["seconds"]
    end = time.monotonic() + seconds
    jobs = {}
    for server in request["time"]:
        jobs["time", server] = (ask_time, (server, seconds, end))
    for server in request["names"]:
        jobs["names", server] = (ask_names, (server, request["question"], seconds, end))
    found = together(jobs, seconds, end)
    return {kind: {server: found[kind, server] for server in request[kind]} for kind in ("time", "names")}
