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
    """What a URL answers, tried once: the status, or why there is none."""

    def command(self, url: str, ca: str = "") -> str:
        return f"python3 -c {quote(REQUEST + chr(10) + 'print(answer)')} {quote(url)} {quote(ca)} 0"

    def process(self, output: list[str]) -> str:
        return "\n".join(output).strip()


class PortOpen(FactBase[bool]):
    """Whether a TCP port accepts a connection, tried once, by bash itself: EL 7 has no Python 3."""

    def command(self, address: str, port: int) -> str:
        return f"if {connect(address, port)}; then echo open; else echo closed; fi"

    def process(self, output: list[str]) -> bool:
        return "open" in output


def connect(address: str, port: int) -> str:
    """A shell command that succeeds when the port accepts a connection within 3 seconds."""
    return f"timeout 3 bash -c {quote(f': </dev/tcp/{address}/{port}')} 2>/dev/null"
