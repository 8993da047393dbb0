"""Runs on the first controller: makes changes in keystone, then tells what it holds. Needs openstacksdk.

Request: ``{"admin": credentials, "timeout": seconds, "actions": [action, …], "passwords": {user: text}}``.
Before there is an administrator, the credentials are ``endpoint`` and ``token``, besides ``region_name``.
An action is one of ``cloud.identity.plan``, with its description as ``"what"``; none: nothing is changed.
A password is tried when its user exists. ``timeout`` is how long keystone may take to start answering.

Answer, of the Default domain::

    {"projects": {name: {"id", "is_enabled", "description"}}, "roles": {name: id},
     "users": {name: {"id", "is_enabled"}}, "passwords": {user: whether it works},
     "assignments": [[role, user, project], …], "regions": [id, …],
     "services": [{"id", "name", "type", "description", "is_enabled"}, …],
     "endpoints": [{"id", "service_id", "interface", "region_id", "url", "is_enabled"}, …]}
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import openstack
from keystoneauth1.exceptions import ConnectFailure


class Failed(Exception):
    """One clear line for the operator."""


def url_of(admin):
    return admin.get("endpoint") or admin["auth_url"]


def connect(admin):
    auth = dict(admin)
    region = auth.pop("region_name")
    cacert = auth.pop("cacert", None)
    return openstack.connect(
        # Not the generic "password": it asks for versions first, and turns "not yet there" into many errors.
        # A token of keystone.conf, before there is any user, comes with the endpoint it is for.
        auth_type="admin_token" if "token" in auth else "v3password",
        auth=auth,
        region_name=region,
        cacert=cacert,
        # keystone is not in its own catalog before it was registered there, or may be there with a wrong URL.
        identity_endpoint_override=url_of(admin),
        load_yaml_config=False,
        load_envvars=False,
        app_name="identity",
    )


def status(error):
    # keystoneauth's name for it, and openstacksdk's.
    return getattr(error, "http_status", None) or getattr(error, "status_code", None) or 0


def patiently(end, call, *arguments):
    """Call again while keystone is starting: nothing listens yet, or a proxy answers in its place."""
    while True:
        try:
            return call(*arguments)
        except Exception as error:
            if not (isinstance(error, ConnectFailure) or status(error) >= 500) or time.monotonic() >= end:
                raise
            time.sleep(1)


def log_in(cloud, admin):
    try:
        cloud.session.get_token()
    except Exception as error:
        if status(error) in (401, 403):
            raise Failed(f"the user {admin['username']} can't log in: {error}") from None
        raise


def password_works(cloud, auth_url, domain, user, password):
    login = {"user": {"name": user, "password": password, "domain": {"id": domain}}}
    response = cloud.session.post(
        auth_url + "/auth/tokens",
        json={"auth": {"identity": {"methods": ["password"], "password": login}, "scope": "unscoped"}},
        authenticated=False,
        raise_exc=False,
        log=False,
    )
    if response.status_code not in (201, 401):
        openstack.exceptions.raise_from_response(response)
        raise Failed(f"status {response.status_code} when {user} logged in")
    return response.status_code == 201


def domain_of(cloud, name):
    found = [domain.id for domain in cloud.identity.domains(name=name)]
    if len(found) != 1:
        raise Failed(f"there are {len(found)} domains with the name {name}")
    return found[0]


def members(resource, *names):
    return {name: getattr(resource, name) for name in names}


def state(cloud, domain, auth_url, passwords):
    identity = cloud.identity
    projects = {
        project.name: members(project, "id", "is_enabled", "description")
        for project in identity.projects(domain_id=domain)
    }
    users = {user.name: members(user, "id", "is_enabled") for user in identity.users(domain_id=domain)}
    roles = {role.name: role.id for role in identity.roles()}
    names = {found["id"]: name for group in (projects, users) for name, found in group.items()}
    names.update((identifier, name) for name, identifier in roles.items())
    assignments = []
    for given in identity.role_assignments():
        project = (given.scope or {}).get("project") or {}
        # An inherited one holds for the projects below, and not for this one.
        if given.user and project and "OS-INHERIT:inherited_to" not in given.scope:
            found = [names.get(part["id"]) for part in (given.role, given.user, project)]
            if all(found):
                assignments.append(found)
    # keystone hashes each password on purpose slowly: four at once.
    with ThreadPoolExecutor(4) as pool:
        logins = {
            user: pool.submit(password_works, cloud, auth_url, domain, user, passwords[user])
            for user in passwords
            if user in users
        }
    works = {user: login.result() for user, login in logins.items()}
    return {
        "projects": projects,
        "roles": roles,
        "users": users,
        "passwords": works,
        "assignments": sorted(assignments),
        "regions": [region.id for region in identity.regions()],
        "services": [
            members(service, "id", "name", "type", "description", "is_enabled")
            for service in identity.services()
        ],
        "endpoints": [
            members(endpoint, "id", "service_id", "interface", "region_id", "url", "is_enabled")
            for endpoint in identity.endpoints()
        ],
    }


def identifiers(found):
    """(kind, name) -> ID of all that an action may refer to by its name; a service's name is its type."""
    known = {("role", name): identifier for name, identifier in found["roles"].items()}
    for kind in ("project", "user"):
        known.update(((kind, name), item["id"]) for name, item in found[kind + "s"].items())
    known.update((("service", service["type"]), service["id"]) for service in found["services"])
    return known


def perform(cloud, domain, known, action):
    identity = cloud.identity
    verb, kind = action["do"].split()
    name, values = action["name"], action["values"]
    if verb == "update":
        getattr(identity, "update_" + kind)(action["id"], **values)
    elif kind == "assignment":
        project, role = known["project", values["project"]], known["role", values["role"]]
        # By its URL: openstacksdk's call for it only returns False when keystone refuses.
        response = identity.put(f"/projects/{project}/users/{known['user', name]}/roles/{role}")
        openstack.exceptions.raise_from_response(response)
    elif kind == "region":
        identity.create_region(id=name)
    elif kind == "role":
        known["role", name] = identity.create_role(name=name).id
    elif kind == "service":
        created = identity.create_service(name=name, type=action["type"], **values)
        known["service", action["type"]] = created.id
    elif kind == "endpoint":
        service = known["service", action["type"]]
        identity.create_endpoint(service_id=service, interface=action["interface"], **values)
    else:
        known[kind, name] = getattr(identity, "create_" + kind)(name=name, domain_id=domain, **values).id


def work(request, end):
    admin = request["admin"]
    cloud = connect(admin)
    patiently(end, log_in, cloud, admin)
    domain = patiently(end, domain_of, cloud, admin.get("project_domain_name", "Default"))
    if request["actions"]:
        known = identifiers(patiently(end, state, cloud, domain, url_of(admin), {}))
        for action in request["actions"]:
            # Once: what was asked for twice might be there twice.
            try:
                perform(cloud, domain, known, action)
            except Exception as error:
                raise Failed(f"could not {action['what']}: {error}") from None
    return patiently(end, state, cloud, domain, url_of(admin), request["passwords"])


def main(request):
    try:
        return work(request, time.monotonic() + request["timeout"])
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, ConnectFailure) or status(error) >= 500:
            reason = f"no answer within {request['timeout']} s: {reason}"
        # An API may quote what it refuses.
        secrets = [request["admin"].get(name) for name in ("password", "token")]
        secrets += request["passwords"].values()
        secrets += [action["values"].get("password") for action in request["actions"]]
        for secret in filter(None, secrets):
            reason = reason.replace(secret, "(hidden)")
        sys.exit(f"keystone at {url_of(request['admin'])}: {reason}")
