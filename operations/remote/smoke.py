"""Runs on the first controller for the smoke test: one phase of it a call. Needs openstacksdk.

Request: ``{"admin": {auth…}, "phase": name, "plan": cloud.smoke.plan(), "made": answer of "make", …}``.
Answer: that of the phase's function, or ``{"error": reason}``. What is asked of each server or volume has an
answer for each: ``{name: {…}}`` or ``{name: {"error": reason}}``.
"""

import base64
import contextlib
import os
import re
import select
import socket
import ssl
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import openstack
from openstack.exceptions import NotFoundException

# Of a router's ports those that lead into a project's networks, on one host or on several.
ROUTER_INTERFACES = ("network:router_interface", "network:ha_router_replicated_interface")


class Failed(Exception):
    """One clear line for the operator."""


def end_with_the_one_who_asked():
    """End when nobody reads our answer any more: a killed run must not go on beside the next one."""
    poll = select.poll()
    poll.register(1, select.POLLERR | select.POLLHUP)

    def watch():
        poll.poll()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def connect(admin, project=None):
    """The cloud as its administrator sees it, or as the project ``project`` (an ID) does."""
    auth = dict(admin)
    region = auth.pop("region_name")
    cacert = auth.pop("cacert", None)
    if project:
        for name in ("project_name", "project_domain_name"):
            del auth[name]
        auth["project_id"] = project
    cloud = openstack.connect(
        auth=auth,
        region_name=region,
        cacert=cacert,
        interface="internal",
        load_yaml_config=False,
        load_envvars=False,
        app_name="smoke",
    )
    cloud.authorize()
    return cloud


def wait(what, seconds, test):
    """What ``test()`` answers, once that is true, ``seconds`` at most.

    It is asked every second at first, then more rarely: a question is work for the host that is waited for.
    """
    start = time.monotonic()
    while True:
        answer = test()
        if answer:
            return answer
        waited = time.monotonic() - start
        if waited > seconds:
            raise Failed("%s: not within %d s" % (what, seconds))
        time.sleep(min(5, max(1, waited / 10)))


def each(function, items):
    """Call ``function`` for all items at once: name -> its answer, or {"error": reason}."""

    def attempt(item):
        start = time.monotonic()
        try:
            answer = function(item)
        except Exception as error:
            answer = {"error": reason_of(error)}
        return dict(answer, seconds=round(time.monotonic() - start))

    if not items:
        return {}
    with ThreadPoolExecutor(len(items)) as pool:
        return dict(zip([item["name"] for item in items], pool.map(attempt, items)))


def reason_of(error):
    """One line; openstacksdk's errors begin with their type and the URL, and end with the API's own words."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"^\w+: (\d+): \w+ Error for url: \S+, ", r"\1: ", text)


# The project and all that is in it.


def project_of(admin_cloud, plan, make=False):
    """ID of the smoke test's own project, in which the administrator may work; None when there is none."""
    identity = admin_cloud.identity
    domain = next(domain.id for domain in identity.domains(name=plan["domain"]))
    found = [project.id for project in identity.projects(name=plan["name"], domain_id=domain)]
    if not found and not make:
        return None
    if not found:
        made = identity.create_project(name=plan["name"], domain_id=domain, description=plan["description"])
        found = [made.id]
    role = identity.find_role("admin", ignore_missing=False)
    identity.assign_project_role_to_user(found[0], admin_cloud.current_user_id, role)
    return found[0]


def belongings(cloud, project, plan):
    """kind -> resources of the project, whatever their names; none of what the cloud has no service for."""
    network = cloud.network
    mine = {"project_id": project}
    routed, stores = plan["self_service"], plan["stores"]
    return {
        "server": list(cloud.compute.servers(details=False)),
        "floating IP": list(network.ips(**mine)) if routed else [],
        "snapshot": list(cloud.block_storage.snapshots(details=False)) if stores else [],
        "volume": list(cloud.block_storage.volumes(details=False)) if stores else [],
        "image": list(cloud.image.images(owner=project)),
        "router": list(network.routers(**mine)) if routed else [],
        # Those of DHCP and of routers go with their owners.
        "port": [
            port for port in network.ports(**mine) if not (port.device_owner or "").startswith("network:")
        ],
        "network": list(network.networks(**mine)),
        "security group": list(network.security_groups(**mine)),
    }


def globals_of(cloud, plan):
    """What belongs to no project: by its name."""
    return {
        "flavor": [
            flavor for flavor in cloud.compute.flavors(is_public="None") if flavor.name == plan["name"]
        ],
        "keypair": [keypair for keypair in cloud.compute.keypairs() if keypair.name == plan["name"]],
    }


def gone(list_, what, seconds):
    """Wait until ``list_()`` is empty."""
    wait("%s removed" % what, seconds, lambda: not list_())


def settled(volumes, seconds):
    """Wait while a volume is on its way to a server, or back.

    A server that is removed meanwhile leaves its iSCSI session on the host (seen after a killed run).
    """
    moving = ("creating", "reserved", "attaching", "detaching")
    with contextlib.suppress(Failed):  # what is stuck goes with the rest
        wait(
            "volumes at rest",
            seconds,
            lambda: all(volume.status not in moving for volume in volumes.volumes()),
        )


def remove_router(network, router):
    """A router with its ports in the project's networks. The others are neutron's own."""
    for port in list(network.ports(device_id=router.id)):
        if port.device_owner.startswith(ROUTER_INTERFACES):
            network.remove_interface_from_router(router, port_id=port.id)
    network.delete_router(router)


def remove(request):
    """Remove all of it, in the order that works.

    Answer: ``{"removed": [what, …], "left": [what, …], "ids": [ID, …]}``; the IDs are of what hosts may still
    have traces of.
    """
    plan, limit = request["plan"], request["plan"]["limits"]["remove"]
    admin_cloud = connect(request["admin"])
    removed, ids = [], []

    def note(kind, item):
        removed.append("%s %s" % (kind, item.name or item.id))
        ids.append(item.id)

    project = project_of(admin_cloud, plan)
    if project:
        cloud = connect(request["admin"], project)
        network, volumes = cloud.network, cloud.block_storage if plan["stores"] else None
        found = belongings(cloud, project, plan)
        for kind, items in found.items():
            for item in items:
                note(kind, item)
        if volumes:
            settled(volumes, limit)
        for server in found["server"]:
            cloud.compute.delete_server(server)
        gone(lambda: list(cloud.compute.servers(details=False)), "servers", limit)
        for address in found["floating IP"]:
            network.delete_ip(address)
        if volumes:
            for snapshot in found["snapshot"]:
                volumes.delete_snapshot(snapshot)
            gone(lambda: list(volumes.snapshots(details=False)), "snapshots", limit)
            for volume in volumes.volumes():
                if volume.status not in ("available", "error", "deleting"):
                    # Its server is gone; only the book-keeping of a killed run is left.
                    volumes.reset_volume_status(volume, "available", "detached")
                if volume.status != "deleting":
                    volumes.delete_volume(volume)
        for image in found["image"]:
            cloud.image.delete_image(image)
        for router in found["router"]:
            remove_router(network, router)
        for kind, delete in (
            ("port", network.delete_port),
            ("network", network.delete_network),
            # The group "default" too, which nobody removes with its project.
            ("security group", network.delete_security_group),
        ):
            for item in found[kind]:
                delete(item)
        if volumes:
            gone(lambda: list(volumes.volumes(details=False)), "volumes", limit)
    common = globals_of(admin_cloud, plan)
    for flavor in common["flavor"]:
        note("flavor", flavor)
        admin_cloud.compute.delete_flavor(flavor)
    for keypair in common["keypair"]:
        note("keypair", keypair)
        admin_cloud.compute.delete_keypair(keypair)
    left = [
        "%s %s" % (kind, item.name) for kind, items in globals_of(admin_cloud, plan).items() for item in items
    ]
    if project:
        # neutron makes a new group "default" whenever somebody looks; it is looked for last, as admin.
        left += [
            "%s %s" % (kind, item.name or item.id)
            for kind, items in belongings(cloud, project, plan).items()
            for item in items
            if kind != "security group"
        ]
        for group in list(admin_cloud.network.security_groups(project_id=project)):
            admin_cloud.network.delete_security_group(group)
        admin_cloud.identity.delete_project(project)
        removed.append("project %s" % plan["name"])
    left += ["project %s" % plan["name"]] if project_of(admin_cloud, plan) else []
    return {"removed": removed, "left": left, "ids": ids}


def make(request):
    """Everything but the volumes; does not wait for the servers.

    Answer: ``{"project", "external", "network", "probe": {"address", "prefix", "mac", "vlan"},
    "servers": [{"name", "id", "fixed", "floating"}, …]}``; "network" is the ID of the external one. Without
    self-service networks the servers are directly in that, and have no floating address.
    """
    plan = request["plan"]
    admin_cloud = connect(request["admin"])
    project = project_of(admin_cloud, plan, make=True)
    cloud = connect(request["admin"], project)
    network, name = cloud.network, plan["name"]

    external = inside = external_network(cloud, plan)
    if plan["self_service"]:
        inside = network.create_network(name=name)
        subnet = network.create_subnet(
            name=name, network_id=inside.id, ip_version=4, cidr=plan["cidr"], enable_dhcp=True
        )
        router = network.create_router(name=name, external_gateway_info={"network_id": external.id})
        network.add_interface_to_router(router, subnet_id=subnet.id)
    group = network.create_security_group(name=name, description=plan["description"])
    for rule in plan["rules"]:
        network.create_security_group_rule(
            security_group_id=group.id, direction="ingress", ethertype="IPv4", **rule
        )
    ports = {}
    for server in plan["servers"]:
        port = network.create_port(name=server["name"], network_id=inside.id, security_group_ids=[group.id])
        floating = None
        if plan["self_service"]:
            address = network.create_ip(floating_network_id=external.id, port_id=port.id)
            floating = address.floating_ip_address
        ports[server["name"]] = (port, floating)
    # It keeps the probe's address from anybody else; nothing is ever bound to it.
    probe = network.create_port(name=name + "-probe", network_id=external.id, port_security_enabled=False)
    fixed = probe.fixed_ips[0]
    prefix = network.get_subnet(fixed["subnet_id"]).cidr.split("/")[1]

    image = upload(cloud, plan)
    flavor = cloud.compute.create_flavor(name=name, is_public=False, **plan["flavor"])
    cloud.compute.flavor_add_tenant_access(flavor, project)
    cloud.compute.create_keypair(name=name, public_key=plan["public_key"])
    servers = []
    for server in plan["servers"]:
        port, floating = ports[server["name"]]
        made = cloud.compute.create_server(
            name=server["name"],
            image_id=image,
            flavor_id=flavor.id,
            networks=[{"port": port.id}],
            key_name=name,
            user_data=base64.b64encode(plan["user_data"].encode()).decode(),
            availability_zone="%s:%s" % (plan["zone"], server["host"]),
        )
        servers.append(
            {
                "name": server["name"],
                "id": made.id,
                "fixed": port.fixed_ips[0]["ip_address"],
                "floating": floating,
            }
        )
    return {
        "project": project,
        "external": external.name,
        "network": external.id,
        "probe": {
            "address": fixed["ip_address"],
            "prefix": int(prefix),
            "mac": probe.mac_address,
            "vlan": external.provider_segmentation_id,
        },
        "servers": servers,
    }


def external_network(cloud, plan):
    """The cloud's external network on the provider bridge; one of our own when there is none.

    A physical network holds one flat network only, so that ours can't stand beside the operator's. Without
    self-service networks it is the servers' own: it need not be external, but must give them addresses.
    """
    wanted, direct = plan["external"], not plan["self_service"]
    query = {} if direct else {"is_router_external": True}
    for found in sorted(cloud.network.networks(**query), key=lambda network: network.name):
        if found.provider_physical_network == wanted["physical_network"]:
            if direct and not any(
                subnet.is_dhcp_enabled for subnet in cloud.network.subnets(network_id=found.id, ip_version=4)
            ):
                raise Failed("network %s has no IPv4 subnet with DHCP: no server can boot in it" % found.name)
            return found
    made = cloud.network.create_network(
        name=plan["name"] + "-external",
        is_router_external=not direct,
        provider_network_type="flat",
        provider_physical_network=wanted["physical_network"],
    )
    cloud.network.create_subnet(
        name=made.name, network_id=made.id, ip_version=4, cidr=wanted["cidr"], enable_dhcp=direct
    )
    return made


def upload(cloud, plan):
    """ID of the image whose files lie in the plan's folder on this host."""
    given = plan["image"]
    formats = {"kernel": "aki", "initramfs": "ari"}
    properties = dict(given["properties"])
    for part, key in (("kernel", "kernel_id"), ("initramfs", "ramdisk_id")):
        if given[part]:
            made = cloud.image.create_image(
                "%s-%s" % (plan["name"], part),
                filename=given[part],
                disk_format=formats[part],
                container_format=formats[part],
                allow_duplicates=True,
                wait=True,
                timeout=plan["limits"]["upload"],
            )
            properties[key] = made.id
    made = cloud.image.create_image(
        plan["name"],
        filename=given["disk"],
        disk_format=given["disk_format"],
        container_format="bare",
        allow_duplicates=True,
        wait=True,
        timeout=plan["limits"]["upload"],
        **properties,
    )
    return made.id


# What is asked of servers.


def settle(cloud, server, wanted, seconds):
    """Wait until nova has finished with a server, and it is what is ``wanted``."""

    def settled():
        found = cloud.compute.get_server(server["id"])
        if found.status == "ERROR" and found.task_state is None:
            raise Failed("ERROR: %s" % (found.fault or {}).get("message", "nova gives no reason"))
        return found if found.status == wanted and found.task_state is None else None

    return wait("%s is %s" % (server["name"], wanted), seconds, settled)


def console(cloud, server):
    """The lines of a server's serial console, as far as nova can give them now."""
    try:
        text = cloud.compute.get_server_console_output(server["id"], length=400)["output"]
    except openstack.exceptions.HttpException:
        return []  # not started, or about to be
    return [line.rstrip() for line in text.replace("\r", "").splitlines()]


BOOT = re.compile(r"^TINY: boot ([0-9a-f-]+)")


def boots(lines):
    return [match[1] for match in map(BOOT.match, lines) if match]


def booted(cloud, server, plan, before=()):
    """Wait for the last line of a boot that is not among ``before``; the console's lines."""

    def test():
        lines = console(cloud, server)
        if not plan["image"]["tiny"]:
            return lines if any(line.strip() for line in lines) else None
        last = max((number for number, line in enumerate(lines) if BOOT.match(line)), default=None)
        if last is None or boots(lines)[-1] in before:
            return None
        return lines if any(line.startswith("TINY: done") for line in lines[last:]) else None

    try:
        return wait(
            "the console of %s shows the end of its boot" % server["name"], plan["limits"]["boot"], test
        )
    except Failed as error:
        raise Failed("%s; it ends with: %s" % (error, " / ".join(console(cloud, server)[-3:]))) from None


def boot(request):
    """Wait for all servers: ``{name: {"host", "seconds", "console": [line, …]}}``."""
    plan, made = request["plan"], request["made"]
    cloud = connect(request["admin"], made["project"])

    def one(server):
        found = settle(cloud, server, "ACTIVE", plan["limits"]["active"])
        answer = {"status": found.status, "host": found.hypervisor_hostname}
        try:
            lines = booted(cloud, server, plan)
        except Failed as error:
            return dict(answer, console=console(cloud, server)[-20:], unfinished=str(error))
        return dict(answer, console=[line for line in lines if line.startswith("TINY")] or lines[-20:])

    return each(one, made["servers"])


def vnc(request):
    """A console of each server, by the URL that a user's browser gets: ``{name: {"page", "greeting"}}``."""
    cloud = connect(request["admin"], request["made"]["project"])

    def one(server):
        url = cloud.compute.create_console(server["id"], console_type="novnc")["url"]
        address = urllib.parse.urlsplit(url)
        if address.scheme not in ("http", "https"):
            raise Failed("the console's URL is %s: only http and https are tried" % address.scheme)
        page = http(address, "%s?%s" % (address.path, address.query))
        # vnc_auto.html?path=%3Ftoken%3D…: where the page's script opens its WebSocket.
        path = urllib.parse.parse_qs(address.query).get("path", ["?%s" % address.query])[0]
        return {
            "page": page.split("\r\n")[0],
            "greeting": http(address, "/" + path.lstrip("/"), upgrade=True),
        }

    return each(one, request["made"]["servers"])


def http(address, path, upgrade=False):
    """The answer to a GET; with ``upgrade``, what a WebSocket there says first."""
    lines = ["GET %s HTTP/1.1" % path, "Host: %s" % address.netloc]
    if upgrade:
        lines += [
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Origin: %s://%s" % (address.scheme, address.netloc),
            "Sec-WebSocket-Key: %s" % base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: binary",
        ]
    else:
        lines.append("Connection: close")
    secured = address.scheme == "https"
    with socket.create_connection(
        (address.hostname, address.port or (443 if secured else 80)), timeout=30
    ) as connection:
        if secured:
            # The system's store has the cloud's CA.
            connection = ssl.create_default_context().wrap_socket(
                connection, server_hostname=address.hostname
            )
        connection.sendall("\r\n".join(lines + ["", ""]).encode())
        answer = b""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if not upgrade and b"\r\n\r\n" in answer:
                return answer.decode("latin-1")
            greeting = re.search(rb"RFB \d{3}\.\d{3}", answer)
            if upgrade and greeting:
                return greeting[0].decode()
            more = connection.recv(4096)
            if not more:
                break
            answer += more
    raise Failed("closed without a greeting: %s" % answer[:80].decode("latin-1").split("\r\n")[0])


def power(request):
    """Stop, start, and reboot in both ways: ``{name: {"stop": seconds or reason, "start": …, …}}``."""
    plan, made = request["plan"], request["made"]
    cloud = connect(request["admin"], made["project"])
    compute, limits = cloud.compute, plan["limits"]

    def again(server, act):
        before = boots(console(cloud, server))
        act()
        settle(cloud, server, "ACTIVE", limits["power"])
        booted(cloud, server, plan, before)

    def one(server):
        def stop():
            compute.stop_server(server["id"])
            settle(cloud, server, "SHUTOFF", limits["power"])

        actions = {
            "soft reboot": lambda: again(server, lambda: compute.reboot_server(server["id"], "SOFT")),
            "hard reboot": lambda: again(server, lambda: compute.reboot_server(server["id"], "HARD")),
            "stop": stop,
            "start": lambda: again(server, lambda: compute.start_server(server["id"])),
        }
        answer = {}
        for name, action in actions.items():
            start = time.monotonic()
            try:
                action()
                answer[name] = round(time.monotonic() - start)
            except Exception as error:
                answer[name] = reason_of(error)
        return answer

    chosen = [server for server in made["servers"] if server["name"] in plan["power"]]
    return each(one, chosen)


# What is asked of volumes. Each has the name of the compute host whose servers it visits.


def volume_status(cloud, volume, wanted, seconds):
    def reached():
        found = cloud.block_storage.get_volume(volume)
        if found.status.startswith("error"):
            raise Failed("the volume is %s" % found.status)
        return found if found.status == wanted else None

    return wait("the volume is %s" % wanted, seconds, reached)


def attach_to(cloud, plan, volume, server):
    cloud.compute.create_volume_attachment(server["id"], volume_id=volume)
    return volume_status(cloud, volume, "in-use", plan["limits"]["volume"])


def detach_from(cloud, plan, volume, server):
    limit = plan["limits"]["volume"]
    cloud.compute.delete_volume_attachment(server["id"], volume)
    volume_status(cloud, volume, "available", limit)
    # cinder is done before nova is, which refuses to attach the volume again meanwhile: "already attached".
    wait(
        "nova has no attachment of the volume",
        limit,
        lambda: all(found.volume_id != volume for found in cloud.compute.volume_attachments(server["id"])),
    )


def servers_of(request):
    return {server["name"]: server for server in request["made"]["servers"]}


def volume(request):
    """Make each volume, and attach it to its first server, if it has one: ``{name: {"id", "attached"}}``."""
    plan, servers = request["plan"], servers_of(request)
    cloud = connect(request["admin"], request["made"]["project"])

    def one(item):
        made = cloud.block_storage.create_volume(name=item["name"], size=plan["volume_size"]).id
        volume_status(cloud, made, "available", plan["limits"]["volume"])
        answer = {"id": made}
        if item["servers"]:
            try:
                attach_to(cloud, plan, made, servers[item["servers"][0]])
            except Exception as error:
                return dict(answer, refused=reason_of(error))
        return answer

    return each(one, plan["volumes"])


def move(request):
    """Detach each volume from its first server, and attach it to the second."""
    plan, servers = request["plan"], servers_of(request)
    cloud = connect(request["admin"], request["made"]["project"])

    def one(item):
        first, second = item["servers"]
        detach_from(cloud, plan, request["volumes"][item["name"]], servers[first])
        attach_to(cloud, plan, request["volumes"][item["name"]], servers[second])
        return {}

    return each(
        one, [item for item in plan["volumes"] if item["servers"] and item["name"] in request["volumes"]]
    )


def snapshot(request):
    """Detach each volume from its second server, take a snapshot, and remove that again."""
    plan, servers = request["plan"], servers_of(request)
    cloud = connect(request["admin"], request["made"]["project"])
    volumes = cloud.block_storage

    def one(item):
        volume = request["volumes"][item["name"]]
        answer = {}
        if item["servers"]:
            try:
                detach_from(cloud, plan, volume, servers[item["servers"][1]])
            except Exception as error:
                return {"attached": reason_of(error)}
        made = volumes.create_snapshot(name=item["name"], volume_id=volume).id

        def ready():
            found = volumes.get_snapshot(made)
            if found.status.startswith("error"):
                raise Failed("the snapshot is %s" % found.status)
            return found.status == "available"

        wait("the snapshot is available", plan["limits"]["volume"], ready)
        volumes.delete_snapshot(made)

        def removed():
            try:
                volumes.get_snapshot(made)
            except NotFoundException:
                return True
            return False

        wait("the snapshot is removed", plan["limits"]["volume"], removed)
        return answer

    return each(one, [item for item in plan["volumes"] if item["name"] in request["volumes"]])


PHASES = {
    function.__name__: function for function in (remove, make, boot, vnc, power, volume, move, snapshot)
}


def main(request):
    end_with_the_one_who_asked()
    try:
        return PHASES[request["phase"]](request)
    except Exception as error:
        # An API may quote what it refuses.
        return {"error": reason_of(error).replace(request["admin"]["password"], "(hidden)")}
