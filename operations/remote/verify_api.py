"""Runs on the first controller for verify: what the APIs report. Reads only. Needs openstacksdk.

Request: ``{"admin": {auth…}, "timeout": seconds, "ca": file or null, "tls": [[address, port], …]}``: CAs to
trust besides the system's, and what to shake hands with. Answer: one key per question; a question that could
not be answered has ``{"error": reason}``.
"""

import datetime
import socket
import ssl
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import openstack


def age(stamp):
    """Seconds since a time stamp of the API (UTC, with or without saying so); None for none."""
    if not stamp:
        return None
    text = str(stamp).replace("Z", "").replace("T", " ").split("+")[0]
    layout = "%Y-%m-%d %H:%M:%S.%f" if "." in text else "%Y-%m-%d %H:%M:%S"
    heard = datetime.datetime.strptime(text, layout)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    return max(0.0, (now - heard).total_seconds())


def nova_services(cloud):
    return [
        {
            "host": service.host,
            "name": service.binary,
            "up": service.state == "up",
            "enabled": service.status == "enabled",
            "age": age(service.updated_at),
        }
        for service in cloud.compute.services()
    ]


def hypervisors(cloud):
    # Without details: for those nova asks the host itself, and waits for one that is down.
    return [{"host": h.name, "up": h.state == "up"} for h in cloud.compute.hypervisors(details=False)]


def neutron_agents(cloud):
    return [
        {
            "host": agent.host,
            "name": agent.agent_type,
            "up": bool(agent.is_alive),
            "enabled": bool(agent.is_admin_state_up),
            "age": age(agent.last_heartbeat_at),
        }
        for agent in cloud.network.agents()
    ]


def cinder_services(cloud):
    # By its URL: older openstacksdk has no call for it.
    answer = cloud.block_storage.get("/os-services", microversion="3.0")
    answer.raise_for_status()
    return [
        {
            "host": service["host"],
            "name": service["binary"],
            "up": service["state"] == "up",
            "enabled": service["status"] == "enabled",
            "age": age(service["updated_at"]),
        }
        for service in answer.json()["services"]
    ]


def volume_pools(cloud):
    """What the scheduler can choose from: a volume service is up long before its driver is."""
    answer = cloud.block_storage.get("/scheduler-stats/get_pools?detail=true", microversion="3.0")
    answer.raise_for_status()
    return [
        {
            "backend": pool["name"].partition("#")[0],  # HOST@BACKEND#POOL
            "up": pool["capabilities"].get("backend_state", "up") == "up",
            "free": pool["capabilities"].get("free_capacity_gb"),
        }
        for pool in answer.json()["pools"]
    ]


def trust(ca):
    """TLS as a user's program has it, who was told of ``ca``."""
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(ca)
    return context


def certificates(places, timeout, ca):
    """``ADDRESS:PORT`` -> days left of what it shows, or the reason (text) why a user would refuse it."""

    def ask(place):
        address, port = place
        try:
            plain = socket.create_connection((address, port), timeout=timeout)
            with plain, trust(ca).wrap_socket(plain, server_hostname=address) as secured:
                end = ssl.cert_time_to_seconds(secured.getpeercert()["notAfter"])
            return (end - time.time()) / 86400
        except ssl.SSLCertVerificationError as error:
            return "refused: %s" % error.verify_message
        except Exception as error:
            return str(error) or type(error).__name__

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(("%s:%d" % (a, p) for a, p in places), pool.map(ask, places)))


def endpoints(cloud, timeout, ca):
    """Every endpoint of the catalog, asked at its root, where each API lists its versions without a token."""
    names = {service.id: service.name for service in cloud.identity.services()}
    listed = list(cloud.identity.endpoints())

    def ask(url):
        scheme, _, rest = url.partition("://")
        try:
            request = urllib.request.Request("%s://%s/" % (scheme, rest.split("/")[0]))
            return urllib.request.urlopen(request, timeout=timeout, context=trust(ca)).status
        except urllib.error.HTTPError as error:
            return error.code
        except Exception as error:
            return str(getattr(error, "reason", error))

    roots = sorted({"/".join(endpoint.url.split("/")[:3]) for endpoint in listed})
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(roots, pool.map(ask, roots)))
    return [
        {
            "service": names.get(endpoint.service_id, endpoint.service_id),
            "interface": endpoint.interface,
            "url": endpoint.url,
            "region": endpoint.region_id,
            "status": answers["/".join(endpoint.url.split("/")[:3])],
        }
        for endpoint in listed
    ]


def main(request):
    timeout = request["timeout"]
    auth = dict(request["admin"])
    region = auth.pop("region_name")
    ca = request.get("ca")
    cloud = openstack.connect(
        auth=auth,
        region_name=region,
        cacert=auth.pop("cacert", None),
        interface="internal",
        api_timeout=timeout,
        load_yaml_config=False,
        load_envvars=False,
        app_name="verify",
    )
    try:
        # Once, here: the threads below share the token, and without one nothing can be asked.
        cloud.authorize()
    except Exception as error:
        return {"error": "no token from keystone: %s" % error}
    questions = {
        "nova_services": nova_services,
        "hypervisors": hypervisors,
        "neutron_agents": neutron_agents,
        "cinder_services": cinder_services,
        "volume_pools": volume_pools,
        "endpoints": lambda cloud: endpoints(cloud, timeout, ca),
    }
    if request.get("tls"):
        questions["certificates"] = lambda cloud: certificates(request["tls"], timeout, ca)

    def answer(question):
        try:
            return question(cloud)
        except Exception as error:
            return {"error": "%s: %s" % (type(error).__name__, error)}

    with ThreadPoolExecutor(len(questions)) as pool:
        return dict(zip(questions, pool.map(answer, questions.values())))
