"""The other services' APIs: what verify asks them, and nothing more.

Each reads what its database has, as the daemons reported it. What a service does not answer here (servers,
images, networks, volumes) is 404.
"""

import functools
import hashlib
import hmac
import json
import uuid

from . import release, store
from .config import Config, ConfigError, defaults
from .login import Login, LoginError
from .web import Api, Application, Refused

DOWN_TIME = {"nova": 60, "neutron": 75, "cinder": 60}


def login_of(config):
    try:
        return Login(config)
    except LoginError as error:
        raise ConfigError(str(error)) from None


def reports(url, table, limit):
    """What was reported into a database, with ``up``."""
    with store.opened(url) as opened:
        rows = opened("SELECT host, program, updated_at, details FROM %s WHERE deleted = 0" % table)
    return [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "%s.%s" % (program, host))),
            "host": host,
            "binary": program,
            "updated_at": updated,
            "up": store.age(updated) <= limit,
            "details": json.loads(details),
        }
        for host, program, updated, details in rows
    ]


def version(status, lowest="", highest="", identifier=""):
    return {"status": status, "min_version": lowest, "version": highest, "id": identifier}


def limit_of(config, service):
    option = "agent_down_time" if service == "neutron" else "service_down_time"
    return config.number("DEFAULT", option, DOWN_TIME[service])


def nova(config):
    """nova reads every cell that its API database names, and shows the hosts that are mapped into one."""
    limit = limit_of(config, "nova")

    def found():
        return [
            (name, item)
            for name, (_, url, _) in store.cells(config).items()
            for item in reports(url, "services", limit)
        ]

    def services():
        return {
            "services": [
                {
                    **{key: item[key] for key in ("id", "host", "binary", "updated_at")},
                    "zone": "nova" if item["binary"] == "nova-compute" else "internal",
                    "state": "up" if item["up"] else "down",
                    "status": "enabled",
                    "disabled_reason": None,
                }
                for _, item in found()
            ]
        }

    def hypervisors():
        computes = [item for _, item in found() if item["binary"] == "nova-compute"]
        if release.has("nova_cells"):
            with store.opened(store.url_of(config, "nova_api")) as opened:
                mapped = {host for (host,) in opened("SELECT host FROM host_mappings")}
            computes = [item for item in computes if item["host"] in mapped]
        return {
            "hypervisors": [
                {
                    "id": item["id"],
                    "hypervisor_hostname": item["host"],
                    "state": "up" if item["up"] else "down",
                    "status": "enabled",
                }
                for item in computes
            ]
        }

    versions = {"v2": version("SUPPORTED", identifier="v2.0")} if release.has("nova_compute_v2") else {}
    highest = "2.12" if release.has("nova_compute_v2") else "2.96"
    versions["v2.1"] = version("CURRENT", "2.1", highest, "v2.1")
    prefix = r"/v2(?:\.1)?(?:/[0-9a-f]{32})?"
    resources = {prefix + "/os-services": services, prefix + "/os-hypervisors": hypervisors}
    return Api(login_of(config), versions, resources, status=200)


def neutron(config):
    limit = limit_of(config, "neutron")

    def agents():
        found = reports(store.url_of(config, "neutron"), "agents", limit)
        return {
            "agents": [
                {
                    **{key: item[key] for key in ("id", "host", "binary")},
                    "agent_type": item["details"]["type"],
                    "alive": item["up"],
                    "admin_state_up": True,
                    "heartbeat_timestamp": item["updated_at"].partition(".")[0].replace("T", " "),
                }
                for item in found
            ]
        }

    versions = {"v2.0": version("CURRENT", identifier="v2.0")}
    return Api(login_of(config), versions, {"/v2.0/agents": agents}, status=200)


def cinder(config):
    limit = limit_of(config, "cinder")

    def found():
        return reports(store.url_of(config, "cinder"), "services", limit)

    def services():
        return {
            "services": [
                {
                    **{key: item[key] for key in ("host", "binary", "updated_at")},
                    "zone": "nova",
                    "state": "up" if item["up"] else "down",
                    "status": "enabled",
                }
                for item in found()
            ]
        }

    def pools():
        return {
            "pools": [
                {
                    "name": "%s#%s" % (item["host"], item["host"].partition("@")[2]),
                    "capabilities": {**item["details"], "backend_state": "up" if item["up"] else "down"},
                }
                for item in found()
                if item["binary"] == "cinder-volume"
            ]
        }

    versions = {"v1": version("SUPPORTED", identifier="v1.0")} if release.has("volume_v1") else {}
    if release.has("volume_v2"):
        versions["v2"] = version("SUPPORTED", identifier="v2.0")
    if release.has("volume_v3"):
        versions["v3"] = version("CURRENT", "3.0", "3.71", "v3.0")
    prefix = "/v(?:%s)/[0-9a-f]{32}" % "|".join(path[1:] for path in versions)
    resources = {prefix + "/os-services": services, prefix + "/scheduler-stats/get_pools": pools}
    return Api(login_of(config), versions, resources)


def glance(config):
    return Api(login_of(config), {"v2": version("CURRENT", identifier="v2.16")}, {})


class Registry(Application):
    """glance's registry, which has no list of versions: nothing of it is asked but that it listens."""

    def __init__(self, config):
        self.login = login_of(config)

    def answer(self, request):
        raise Refused(401, "This server could not verify that you are authorized to access the document.")


class Placement(Api):
    """Its root is its only version."""

    def _documents(self, request):
        links = [{"rel": "self", "href": ""}]
        versions = {"max_version": "1.39", "min_version": "1.0"}
        return [{"id": "v1.0", "status": "CURRENT", "links": links, "path": "/", **versions}]


class Metadata(Application):
    """nova's metadata, for one who asks on an instance's behalf, and knows the secret."""

    def __init__(self, config):
        self.config = config

    def answer(self, request):
        instance = request.header("X-Instance-ID")
        if not self.config.true("neutron", "service_metadata_proxy") or not instance:
            return 200, "1.0\nlatest\n", {}
        secret = self.config.get("neutron", "metadata_proxy_shared_secret")
        if not hmac.compare_digest(signature(secret, instance), request.header("X-Instance-ID-Signature")):
            raise Refused(403, "Invalid proxy request signature.")
        return 200, "1.0\nlatest\n", {}


def signature(secret, instance):
    return hmac.new(secret.encode(), instance.encode(), hashlib.sha256).hexdigest()


@functools.lru_cache(None)
def placement():
    """The API by /etc/placement/placement.conf."""
    config = Config(defaults("placement", ["placement.conf"]))
    url = store.url_of(config, "placement")
    store.ready(url, "placement")
    providers = {"/resource_providers": lambda: {"resource_providers": []}}
    return Placement(login_of(config), {}, providers, status=200)


def placement_application(environ, start_response):
    """What httpd calls."""
    return placement()(environ, start_response)
