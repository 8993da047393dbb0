"""Runs on the first controller: takes steps in the APIs, then tells what is there. Needs openstacksdk.

Request: ``{"admin": credentials, "steps": [step, …], "ask": …}``. A step is a ``cloud.resource_steps.Step``
as a dictionary; none: nothing is changed. ``ask`` is what ``cloud.resource_plan.questions`` gives, and
whether the cloud ``stores`` volumes and has ``self_service`` networks: of what it does not have, the state
has empty lists.
Credentials are as ``cloud.model.Cloud.admin_credentials`` has them.

Answer: ``{"done": how many steps were taken, "error": why it ended there or None, "state": …}``. The state
has a list of flat dictionaries for each kind (see ``state``), and is left out after an error.
"""

import fcntl
import hashlib
import os
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import openstack

CHUNK = 1 << 20
# A deploy that was killed leaves this program running here, and it goes on to its last step.
LOCK = "/run/openstack-resources.lock"
LOCK_WAIT = 900
# With 2.61 a flavor's extra specs are in the list, with 2.47 an instance tells its flavor's name.
MICROVERSIONS = {"compute": "2.79"}


class Failed(Exception):
    """One clear line for the operator."""


class Apis:
    """The APIs, as the administrator: in the project admin, or in another one."""

    def __init__(self, admin):
        self.admin = admin
        self.connections = {}

    def connection(self, project=None):
        if project not in self.connections:
            auth = dict(self.admin)
            region = auth.pop("region_name")
            cacert = auth.pop("cacert", None)
            if project:
                auth["project_name"] = project
            self.connections[project] = openstack.connect(
                auth=auth,
                region_name=region,
                cacert=cacert,
                interface="internal",
                load_yaml_config=False,
                load_envvars=False,
                app_name="resources",
            )
            self.connections[project].authorize()
        return self.connections[project]

    def call(self, service, method, path, project=None, **more):
        adapter = getattr(self.connection(project), service)
        if service in MICROVERSIONS:
            more["microversion"] = MICROVERSIONS[service]
        response = adapter.request(path, method, raise_exc=False, **more)
        openstack.exceptions.raise_from_response(response)
        return (
            response.json() if response.content and "json" in response.headers.get("Content-Type", "") else {}
        )

    def list(self, service, path, key):
        """All pages: glance links the next one by "next", nova and cinder by KEY_links."""
        found = []
        while path:
            page = self.call(service, "GET", path)
            found += page[key]
            links = [link["href"] for link in page.get(key + "_links", []) if link["rel"] == "next"]
            path = page.get("next", links[0] if links else None)
            if path and path.startswith("/v2/"):
                path = path[len("/v2") :]
        return found


def known_identities(apis):
    """(project -> ID, user of the domain Default -> ID); a project of another domain is DOMAIN/NAME."""
    identity = apis.connection().identity
    domains = {domain.id: domain.name for domain in identity.domains()}
    projects, users = {}, {}
    for project in identity.projects():
        domain = domains.get(project.domain_id)
        projects[project.name if domain == "Default" else "%s/%s" % (domain, project.name)] = project.id
    for user in identity.users():
        if domains.get(user.domain_id) == "Default":
            users[user.name] = user.id
    return projects, users


def state(apis, ask):
    """What is there, of all projects."""
    projects, users = known_identities(apis)
    keys = {identifier: key for key, identifier in projects.items()}
    # Authorised above, once: the threads below share the token.
    questions = [
        ("instances", lambda: instances(apis, keys)),
        ("flavors", lambda: flavors(apis, keys)),
        (
            "keypairs",
            lambda: keypairs(apis, {name: users[name] for name in ask["key_users"] if name in users}),
        ),
        ("compute_hosts", lambda: compute_hosts(apis)),
        ("volumes", lambda: volumes(apis, keys) if ask["stores"] else []),
        ("volume_types", lambda: volume_types(apis) if ask["stores"] else []),
        ("images", lambda: images(apis, keys, ask["shared_images"])),
        ("network", lambda: networking(apis, keys, ask["self_service"])),
        ("acting", lambda: acting(apis, keys)),
        (
            "quotas",
            lambda: limits(
                apis, {name: projects[name] for name in ask["quotas"] if name in projects}, ask["stores"]
            ),
        ),
    ]
    # Resolve the endpoints before the threads start: openstacksdk makes its adapters on first use.
    for service in ("compute", "image", "network", *(["block_storage"] if ask["stores"] else [])):
        getattr(apis.connection(), service)
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = {name: pool.submit(question) for name, question in questions}
    found = {name: answer.result() for name, answer in answers.items()}
    found.update(found.pop("network"))
    roles = {role.name: role.id for role in apis.connection().identity.roles()}
    found.update(projects=projects, users=users, roles=roles)
    return found


def acting(apis, keys):
    """The projects in which the administrator has the role admin."""
    identity = apis.connection().identity
    user = apis.connection().current_user_id
    admin = [role.id for role in identity.roles(name="admin")]
    found = []
    for given in identity.role_assignments(user_id=user):
        project = (given.scope or {}).get("project", {}).get("id")
        if project in keys and given.role["id"] in admin and "OS-INHERIT:inherited_to" not in given.scope:
            found.append(keys[project])
    return found


def instances(apis, keys):
    return [
        {
            "id": server["id"],
            "name": server["name"],
            "project": keys.get(server["tenant_id"]),
            "status": server["status"],
            "fault": (server.get("fault") or {}).get("message"),
            "flavor": server["flavor"]["original_name"],
            "image": server["image"]["id"] if server["image"] else None,
            "metadata": server["metadata"],
            "volumes": [volume["id"] for volume in server["os-extended-volumes:volumes_attached"]],
        }
        for server in apis.list("compute", "/servers/detail?all_tenants=1", "servers")
    ]


def access(apis, keys, flavor):
    answer = apis.call("compute", "GET", "/flavors/%s/os-flavor-access" % flavor)
    return [keys.get(given["tenant_id"]) for given in answer["flavor_access"]]


def flavors(apis, keys):
    return [
        {
            "id": flavor["id"],
            "name": flavor["name"],
            "vcpus": flavor["vcpus"],
            "ram": flavor["ram"],
            "disk": flavor["disk"],
            "ephemeral": flavor["OS-FLV-EXT-DATA:ephemeral"],
            "swap": flavor["swap"] or 0,
            "public": flavor["os-flavor-access:is_public"],
            "properties": flavor["extra_specs"],
            "access": [] if flavor["os-flavor-access:is_public"] else access(apis, keys, flavor["id"]),
        }
        for flavor in apis.list("compute", "/flavors/detail?is_public=None", "flavors")
    ]


def compute_hosts(apis):
    answer = apis.call("compute", "GET", "/os-services?binary=nova-compute")
    return [service["host"] for service in answer["services"]]


def keypairs(apis, users):
    found = []
    for name, identifier in users.items():
        for item in apis.list("compute", "/os-keypairs?user_id=" + identifier, "keypairs"):
            pair = item["keypair"]
            found.append({"name": pair["name"], "user": name, "public_key": pair["public_key"]})
    return found


def volumes(apis, keys):
    return [
        {
            "id": volume["id"],
            "name": volume["name"],
            "project": keys.get(volume["os-vol-tenant-attr:tenant_id"]),
            "status": volume["status"],
            "size": volume["size"],
            "type": volume["volume_type"],
            "instances": [attached["server_id"] for attached in volume["attachments"]],
        }
        for volume in apis.list("block_storage", "/volumes/detail?all_tenants=1", "volumes")
    ]


def volume_types(apis):
    return [
        {
            "id": found["id"],
            "name": found["name"],
            "public": found["is_public"],
            "description": found["description"] or "",
            "properties": found["extra_specs"],
        }
        for found in apis.list("block_storage", "/types?is_public=None", "volume_types")
    ]


def members(apis, keys, image):
    answer = apis.call("image", "GET", "/images/%s/members" % image)
    return [keys.get(member["member_id"]) for member in answer["members"]]


def images(apis, keys, shared):
    return [
        {
            "id": image["id"],
            "name": image["name"],
            "project": keys.get(image["owner"]),
            "hash_algorithm": image["os_hash_algo"],
            "hash": image["os_hash_value"],
            # The others are its properties: glance has them side by side.
            "attributes": image,
            "members": members(apis, keys, image["id"]) if image["name"] in shared else [],
        }
        for image in apis.list("image", "/images?limit=200&visibility=all", "images")
    ]


def networking(apis, keys, self_service):
    def all_of(kind):
        return apis.list("network", "/" + kind, kind)

    def common(item):
        return {"id": item["id"], "name": item["name"], "project": keys.get(item["project_id"])}

    return {
        "networks": [
            {
                **common(network),
                "public": network["shared"] or network["router:external"],
                "shared": network["shared"],
                "external": network["router:external"],
                "type": network["provider:network_type"],
                "physical_network": network["provider:physical_network"],
                "segment": network["provider:segmentation_id"],
            }
            for network in all_of("networks")
        ],
        "subnets": [
            {
                **common(subnet),
                "network": subnet["network_id"],
                "cidr": subnet["cidr"],
                "gateway": subnet["gateway_ip"],
                "dhcp": subnet["enable_dhcp"],
                "pools": [[pool["start"], pool["end"]] for pool in subnet["allocation_pools"]],
                "dns": subnet["dns_nameservers"],
            }
            for subnet in all_of("subnets")
        ],
        "routers": [
            {**common(router), "external": (router["external_gateway_info"] or {}).get("network_id")}
            for router in (all_of("routers") if self_service else ())
        ],
        "ports": [
            {
                **common(port),
                "network": port["network_id"],
                "owner": port["device_owner"],
                "device": port["device_id"],
                "subnets": [fixed["subnet_id"] for fixed in port["fixed_ips"]],
                "security_groups": port["security_groups"],
            }
            for port in all_of("ports")
        ],
        "security_groups": [
            {**common(group), "rules": group["security_group_rules"]}
            for group in apis.list("network", "/security-groups", "security_groups")
        ],
        "floating_ips": [
            {
                "id": floating["id"],
                "name": floating["description"],
                "project": keys.get(floating["project_id"]),
                "network": floating["floating_network_id"],
                "address": floating["floating_ip_address"],
                "port": floating["port_id"],
            }
            for floating in (apis.list("network", "/floatingips", "floatingips") if self_service else ())
        ],
    }


def limits(apis, projects, stores):
    """project -> limit's name -> [limit, used]."""
    found = {}
    for name, identifier in projects.items():
        nova = apis.call("compute", "GET", "/os-quota-sets/%s/detail" % identifier)["quota_set"]
        cinder = {}
        if stores:
            path = "/os-quota-sets/%s?usage=True" % identifier
            cinder = apis.call("block_storage", "GET", path)["quota_set"]
        neutron = apis.call("network", "GET", "/quotas/%s/details.json" % identifier)["quota"]
        found[name] = {
            limit: [numbers["limit"], numbers.get("in_use", numbers.get("used", 0)) + numbers["reserved"]]
            for answer in (nova, cinder, neutron)
            for limit, numbers in answer.items()
            if isinstance(numbers, dict)
        }
    return found


def resolve(value, known):
    """Put IDs in the place of {"ref": …}."""
    if isinstance(value, dict):
        if set(value) == {"ref"}:
            return known[value["ref"]]
        return {key: resolve(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, known) for item in value]
    return value


def fetch(url, path, sha256):
    """Download, and compare, before anything is created."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=60) as source, open(path, "wb") as target:
        for chunk in iter(lambda: source.read(CHUNK), b""):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != sha256:
        raise Failed("%s has the checksum %s, and not %s" % (url, digest.hexdigest(), sha256))


def upload(apis, image, content):
    """Stream a file into an image, and hold glance's hash against what was read; or no image stays."""
    algorithm = "sha512"
    digests = {"sha256": hashlib.sha256(), algorithm: hashlib.sha512()}

    def chunks(file):
        for chunk in iter(lambda: file.read(CHUNK), b""):
            for digest in digests.values():
                digest.update(chunk)
            yield chunk

    try:
        with open(content["path"], "rb") as file:
            apis.call(
                "image",
                "PUT",
                "/images/%s/file" % image,
                data=chunks(file),
                headers={"Content-Type": "application/octet-stream"},
            )
        stored = apis.call("image", "GET", "/images/" + image)
        if digests["sha256"].hexdigest() != content["sha256"]:
            raise Failed("the content changed on the way: its checksum is not %s" % content["sha256"])
        # The algorithm is glance's choice (hashing_algorithm).
        algorithm = stored["os_hash_algo"]
        if algorithm not in digests:
            digests[algorithm] = hashlib.new(algorithm)
            with open(content["path"], "rb") as file:
                for chunk in iter(lambda: file.read(CHUNK), b""):
                    digests[algorithm].update(chunk)
        if stored["os_hash_value"] != digests[algorithm].hexdigest():
            raise Failed("glance stored something else: its %s is %s" % (algorithm, stored["os_hash_value"]))
    except Exception:
        apis.call("image", "DELETE", "/images/" + image)
        raise


def told(apis, service, project, item):
    """Why something failed: nova says it in the server's fault, cinder in a message to the project."""
    reason = (item.get("fault") or {}).get("message")
    if service == "block_storage":
        path = "/messages?resource_uuid=" + item["id"]
        try:
            messages = apis.call(service, "GET", path, project, microversion="3.5")["messages"]
        except openstack.exceptions.SDKException:
            messages = []  # the failure itself matters more
        reason = messages[0]["user_message"] if messages else None
    return reason or "the API says no more"


def wait(apis, service, path, project, want, fail, seconds, envelope=None, field="status"):
    """Until ``field`` has a value of ``want``; "gone" is the resource's absence."""
    end = time.monotonic() + seconds
    while True:
        try:
            item = apis.call(service, "GET", path, project)
        except openstack.exceptions.NotFoundException:
            if "gone" in want:
                return
            raise
        item = item[envelope] if envelope else item
        found = item.get(field)
        if found in want:
            return
        if found in fail:
            raise Failed("it is %s: %s" % (found, told(apis, service, project, item)))
        if time.monotonic() >= end:
            raise Failed("it is still %s after %s s" % (found, seconds))
        time.sleep(1)


def take(apis, step, known):
    path = "".join(resolve(part, known) for part in step["path"])
    project = step.get("project")
    more = {key: resolve(step[key], known) for key in ("json", "headers") if step.get(key) is not None}
    try:
        answer = apis.call(step["service"], step["method"], path, project, **more)
    except openstack.exceptions.NotFoundException:
        # Whoever removed it did what was wanted.
        if step["method"] != "DELETE":
            raise
    if step.get("makes"):
        item = answer[step["envelope"]] if step.get("envelope") else answer
        known[step["makes"]] = (item[0] if isinstance(item, list) else item)["id"]
    if step.get("content"):
        upload(apis, answer["id"], step["content"])
    for waiting in step.get("waits", []):
        where = "".join(resolve(part, known) for part in waiting["path"])
        wait(apis, project=project, **{**waiting, "path": where})


def reason_of(error):
    """The API's own words, on one line."""
    text = getattr(error, "details", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


def work(request):
    apis = Apis(request["admin"])
    apis.connection()
    done = 0
    steps = request["steps"]
    try:
        for step in steps:
            content = step.get("content")
            if content and content.get("url"):
                fetch(content["url"], content["path"], content["sha256"])
        if steps:
            projects, users = known_identities(apis)
            known = {"project:" + name: identifier for name, identifier in projects.items()}
            known.update(("user:" + name, identifier) for name, identifier in users.items())
        for step in steps:
            take(apis, step, known)
            done += 1
    except Exception as error:
        what = steps[done]["what"] if done < len(steps) else "go on"
        if isinstance(error, OSError) and not done:
            what = "fetch the images"
        return {"done": done, "error": "could not %s: %s" % (what, reason_of(error)), "state": None}
    finally:
        for step in steps:
            if step.get("content") and os.path.exists(step["content"]["path"]):
                os.remove(step["content"]["path"])
    return {"done": done, "error": None, "state": state(apis, request["ask"])}


def be_alone(lock, seconds):
    """Wait until no other run of this program is at work, and hold the open file against the next."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise Failed("an earlier run is still at work here after %s s" % seconds) from None
            time.sleep(0.2)


def main(request):
    os.umask(0o077)
    try:
        with open(LOCK, "w") as lock:
            be_alone(lock, LOCK_WAIT)
            return work(request)
    except Exception as error:
        text = reason_of(error).replace(request["admin"]["password"], "(hidden)")
        sys.exit("the APIs can't be read: " + text)
