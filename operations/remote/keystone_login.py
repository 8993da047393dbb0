"""Runs on the first controller: can this user log in? Plain Python 3, as it runs before anything else works.

Request: the credentials, and ``"timeout"``: seconds to wait for keystone to answer at all.
Answer: ``{"login": true or false}``; ends with status 1 and the reason when keystone does not answer in time.
"""

import json
import ssl
import sys
import time
import urllib.error
import urllib.request


def attempt(request):
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {
                    "user": {
                        "name": request["username"],
                        "password": request["password"],
                        "domain": {"name": request["user_domain_name"]},
                    }
                },
            },
            "scope": {
                "project": {
                    "name": request["project_name"],
                    "domain": {"name": request["project_domain_name"]},
                }
            },
        }
    }
    call = urllib.request.Request(
        request["auth_url"] + "/auth/tokens",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        # None: the CAs of the system.
        context = ssl.create_default_context(cafile=request.get("cacert"))
        urllib.request.urlopen(call, timeout=30, context=context).close()
        return True
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return False
        raise


def main(request):
    end = time.monotonic() + request["timeout"]
    while True:
        try:
            return {"login": attempt(request)}
        except Exception as error:
            if time.monotonic() > end:
                sys.exit("no login at %s for %d s: %s" % (request["auth_url"], request["timeout"], error))
            time.sleep(1)
