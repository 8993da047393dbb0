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
