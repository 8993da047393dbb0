"""A client that works with the cloud over and over, while something is done to it, and counts."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 10  # seconds that one try may take
LIMIT = 28  # seconds that a call may take with all its retries
PAUSE = 1


@dataclass
class Client:
    """Uses the cloud as its administrator through one address while it is open.

    It logs in, lists the servers, and writes a record (a region); with volumes it makes and removes those,
    too. A call is retried as a client does: when the connection fails, or with a 5xx for an answer.

    Attributes:
        seconds: how long each call took, with its retries.
        lost: why calls failed, after their last retry.
        retried: tries that failed before one that did not.
        records, volumes: names and IDs that were acknowledged, less the volumes that were removed again.
    """

    address: str
    password: str
    ca: Path | None = None
    with_volumes: bool = False
    seconds: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    removed: int = 0

    def __post_init__(self):
        user = {"name": "admin", "domain": {"name": "Default"}, "password": self.password}
        project = {"project": {"name": "admin", "domain": {"name": "Default"}}}
        identity = {"methods": ["password"], "password": {"user": user}}
        self._login = {"auth": {"identity": identity, "scope": project}}
        self._context = ssl.create_default_context(cafile=self.ca) if self.ca else None
        self._scheme = "https" if self.ca else "http"
        self._end = threading.Event()
        loops = [self._work, *([self._use_volumes] if self.with_volumes else [])]
        self._threads = [threading.Thread(target=loop) for loop in loops]
        self._prefix = f"record-{time.time_ns()}"

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()
        print(
            f"    {len(self.seconds)} calls, {len(self.lost)} lost, {len(self.retried)} retries, "
            f"the longest took {max(self.seconds):.1f} s; {len(self.records)} records, "
            f"{self.removed} volumes made and removed; {self.retried[:20]} {self.lost[:20]}",
            flush=True,
        )

    def stop(self):
        """Begin no further call."""
        self._end.set()

    def judge(self):
        """At least 99 of 100 calls succeeded, none took 30 seconds, and what was acknowledged is there."""
        assert len(self.seconds) >= 50
        assert len(self.lost) <= len(self.seconds) / 100, self.lost
        assert max(self.seconds) < 30
        self.compare()

    def compare(self):
        """What was acknowledged is there. The records are removed."""
        token, project = self.login()
        found = self.call("GET", 5000, "/v3/regions", token)[1]["regions"]
        assert set(self.records) <= {region["id"] for region in found}
        if self.with_volumes:
            found = self.call("GET", 8776, f"/v3/{project}/volumes", token)[1]["volumes"]
            assert set(self.volumes) <= {volume["id"] for volume in found}
        for name in self.records:
            self.call("DELETE", 5000, f"/v3/regions/{name}", token)

    def login(self) -> tuple[str, str]:
        """A fresh token, and the ID of its project; twice nothing where it was lost."""
        found = self.call("POST", 5000, "/v3/auth/tokens", body=self._login)
        return (found[0]["X-Subject-Token"], found[1]["token"]["project"]["id"]) if found else ("", "")

    def call(self, method, port, path, token=None, body=None) -> tuple[Any, dict[str, Any]] | None:
        """One call with its retries: headers and body, empty where an earlier try has done it; None: lost."""
        began = time.monotonic()
        end = began + LIMIT
        request = urllib.request.Request(
            f"{self._scheme}://{self.address}:{port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})},
        )
        result, problem = None, ""
        while True:
            left = end - time.monotonic()
            if left <= PAUSE:
                self.lost.append(problem)
                break
            try:
                timeout = min(PATIENCE, left)
                with urllib.request.urlopen(request, timeout=timeout, context=self._context) as answer:
                    text = answer.read()
                    result = (answer.headers, json.loads(text) if text else {})
                break
            except urllib.error.HTTPError as error:
                # What a try that got no answer has done is found done by the next.
                if error.code == {"POST": 409, "DELETE": 404}.get(method):
                    result = ({}, {})
                    break
                problem = f"{method} :{port} {error.code} {error.read()[:200]!r}"
                if error.code < 500:
                    self.lost.append(problem)
                    break
            except (OSError, http.client.HTTPException) as error:
                problem = f"{method} :{port} {error or type(error).__name__}"
            self.retried.append(problem)
            time.sleep(PAUSE)
        self.seconds.append(time.monotonic() - began)
        return result

    def _work(self):
        number = 0
        while not self._end.is_set():
            token, _ = self.login()
            if not token:
                continue
            self.call("GET", 8774, "/v2.1/servers", token)
            number += 1
            name = f"{self._prefix}-{number}"
            if self.call("POST", 5000, "/v3/regions", token, {"region": {"id": name}}):
                self.records.append(name)

    def _use_volumes(self):
        """One volume after the other: a host of the lab needs seconds for each."""
        while not self._end.is_set():
            token, project = self.login()
            if not token:
                continue
            volumes = f"/v3/{project}/volumes"
            made = self.call("POST", 8776, volumes, token, {"volume": {"size": 1, "name": self._prefix}})
            if not made:
                continue
            volume, status = made[1]["volume"]["id"], "creating"
            self.volumes.append(volume)
            while status == "creating" and not self._end.wait(2):
                found = self.call("GET", 8776, f"{volumes}/{volume}", token)
                status = found[1]["volume"]["status"] if found else status
            if status == "available" and self.call("DELETE", 8776, f"{volumes}/{volume}", token):
                self.volumes.remove(volume)
                self.removed += 1
            self._end.wait(3)
