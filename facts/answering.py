"""Whether something answers over the network, as seen from the host."""

from __future__ import annotations

from shlex import quote

from pyinfra.api import FactBase

# Arguments: URL, file of certificates or "", seconds, status… Prints the last status, or the error, and
# tries until the status is one of the wanted, or the seconds are over. No redirect is followed: keystone's
# 300 is an answer.
REQUEST = """
import http.client, ssl, sys, time, urllib.parse
url, ca, timeout, wanted = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]
parts = urllib.parse.urlsplit(url)
end = time.monotonic() + timeout
while True:
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca or None)
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=5, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": "openstack-pyinfra"})
        answer = str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        answer = str(error) or type(error).__name__
    if answer in wanted or time.monotonic() >= end:
        break
    time.sleep(min(1, max(0, end - time.monotonic())))
""".strip()


class HttpStatus(FactBase[str]):
    """What a URL answers at last: the status, or why there is none.

    Tried until the status is one of ``status``, for ``timeout`` seconds at most.
    """

    def command(
        self, url: str, status: list[str], timeout: int, ca: str = "", python: str = "python3"
    ) -> str:
        program = quote(REQUEST + "\nprint(answer)")
        return f"{quote(python)} -c {program} {quote(url)} {quote(ca)} {timeout} {' '.join(status)}"

    def process(self, output: list[str]) -> str:
        return "\n".join(output).strip()


# Arguments: seconds, ADDRESS:PORT… Prints a line for each that can't be reached when the seconds are over.
CONNECT = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[1])
left = dict.fromkeys(sys.argv[2:], "not tried")
while True:
    for place in list(left):
        address, _, port = place.rpartition(":")
        try:
            connection = socket.create_connection((address, int(port)), timeout=5)
        except OSError as error:
            left[place] = str(error)
            continue
        with connection:
            connection.settimeout(0.3)
            try:
                # A load balancer lets everybody in, and shows the door at once when nobody is behind it.
                silent = connection.recv(1) == b""
            except socket.timeout:
                silent = False
            except OSError:
                silent = True
        if silent:
            left[place] = "closed at once"
        else:
            del left[place]
    if not left or time.monotonic() >= end:
        break
    time.sleep(min(1, max(0, end - time.monotonic())))
for place, reason in left.items():
    print(place, reason)
""".strip()


class Unreached(FactBase[dict]):
    """``{"ADDRESS:PORT": reason}``: who takes no connection, tried for ``timeout`` seconds."""

    def command(self, places: list[str], timeout: int, python: str = "python3") -> str:
        return f"{quote(python)} -c {quote(CONNECT)} {timeout} {' '.join(map(quote, places))}"

    def process(self, output: list[str]) -> dict:
        return {place: reason for place, _, reason in (line.partition(" ") for line in output)}
