"""TLS: which choices go together, what the files say with each of them, and what verify makes of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import clouds
import pytest
from test_options import complaints, known

from cloud import certificates, expected, firewall, inputs, pki, render, secrets, tls, verdict, verify
from cloud.ini import read_wanted
from cloud.templates import render as render_template

ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)
CA = "/etc/openstack/ca.pem"
ALL = {"tls": "all", "public_address": "cloud.example.org"}
PUBLIC = {"tls": "public", "public_address": "203.0.113.11"}
BALANCERS = {
    **clouds.HOSTS,
    "lb1": (["loadbalancer"], {"ssh_hostname": "192.168.56.60", "interface": "eth0"}),
    "lb2": (["loadbalancer"], {"ssh_hostname": "192.168.56.61", "interface": "eth0"}),
}
VIRTUAL = {"virtual_address": "192.168.56.240"}


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def make(tmp_path):
    """A function that makes a cloud, with its own CA."""

    def make(hosts=None, **settings):
        inventory, path = clouds.inventory(hosts, **settings), tmp_path / "inventory.py"
        clouds.write_secrets(tmp_path, parts=secrets.parts_of(inventory))
        first = inputs.read(inventory, path, certified=False)
        pki.renew(first, tls.folder_for(path), NOW)
        return inputs.read(inventory, path)

    return make


def refused(tmp_path, hosts=None, **settings):
    with pytest.raises(inputs.InputError) as error:
        inventory = clouds.inventory(hosts, **settings)
        inputs.read(inventory, clouds.write_secrets(tmp_path, parts=secrets.parts_of(inventory)))
    return "\n".join(error.value.problems)


def files(cloud, hosts=None, **settings):
    rendered = render.render(clouds.inventory(hosts, **settings), cloud)
    return {host: recorder.files for host, recorder in rendered.items()}


def options(text):
    wanted = read_wanted(text)
    return {(section, name): value for section in wanted for name, value in wanted[section].items()}


# Which choices go together


def test_there_is_none_unless_it_is_chosen(make):
    cloud = make()
    assert cloud.certificates is None
    assert (cloud.ca_file, cloud.proxies, cloud.api_address("controller")) == (None, [], None)
    assert not any("https" in text for host in files(cloud).values() for text in host.values())
    assert not any(port.service.startswith("haproxy") for port in expected.ports(cloud))


def test_certificates_are_asked_for(tmp_path):
    text = refused(tmp_path, **ALL)
    assert f"tls is 'all', and {tmp_path / 'pki'} has no server.pem with its ca.pem" in text
    assert f"python -m cloud.pki {tmp_path / 'inventory.py'}" in text
    assert "tls_certificate and tls_key" in text


def test_one_place_can_not_have_both(tmp_path):
    text = refused(tmp_path, tls="public")
    assert "tls 'public': on controller the public endpoints (192.168.56.11, at 192.168.56.11)" in text
    assert "take tls = 'all'" in text
    # A name does not say at which address haproxy is to listen.
    text = refused(tmp_path, tls="public", public_address="cloud.example.org")
    assert "(and public_bind_address, where it is a name)" in text
    text = refused(tmp_path, BALANCERS, tls="public", public_address="cloud.example.org", **VIRTUAL)
    assert "on lb1 the public endpoints (cloud.example.org, at 192.168.56.240)" in text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tls_certificate": "a.pem", "tls_key": "a.key"}, "tls_certificate, tls_key: without effect"),
        ({"public_bind_address": "203.0.113.1"}, "public_bind_address: without effect, as tls is 'none'"),
        ({**ALL, "tls_certificate": "a.pem"}, "tls_certificate is set and tls_key is not"),
        ({**ALL, "tls_key": "a.key"}, "tls_key is set and tls_certificate is not"),
        ({**ALL, "tls_ca": "ca.pem"}, "tls_ca is set without tls_certificate and tls_key"),
        ({**ALL, "balanced": ["keystone"]}, "balanced leaves APIs out"),
        ({"tls": "some"}, "tls: Input should be 'none', 'public' or 'all' (found 'some')"),
    ],
)
def test_choices_that_contradict_each_other(tmp_path, settings, words):
    assert words in refused(tmp_path, **settings)


def test_the_apis_of_el_hosts_need_balancers_in_front(tmp_path):
    hosts = {name: (groups, {**data, "platform": "el"}) for name, (groups, data) in clouds.HOSTS.items()}
    text = refused(tmp_path, hosts, release="caracal", **ALL)
    assert "controller is platform 'el', where the APIs can't share their ports with haproxy" in text


def test_what_the_files_are_not_for_any_more_is_refused(make, tmp_path):
    make(**ALL)
    text = refused(tmp_path, tls="all", public_address="new.example.org")
    assert "it is for cloud.example.org, 192.168.56.11, and not for new.example.org" in text
    assert "is made anew by: python -m cloud.pki" in text


# The operator's own certificate


@pytest.fixture
def own(tmp_path):
    """The operator's CA: (its folder, a function that writes server.crt and server.key)."""
    ca_key = certificates.new_key()
    root = certificates.make_root(ca_key, "Example", NOW)
    (tmp_path / "corporate.pem").write_text(certificates.text(root))

    def write(*names, now=NOW):
        pem = certificates.make_server(names, root, ca_key, "Example", now)
        cut = pem.index("-----BEGIN PRIVATE")
        (tmp_path / "server.crt").write_text(pem[:cut])
        (tmp_path / "server.key").write_text(pem[cut:])
        (tmp_path / "server.key").chmod(0o600)

    return tmp_path, write


NAMED = {**ALL, "tls_certificate": "server.crt", "tls_key": "server.key"}


def test_ones_own_certificate(own):
    folder, write = own
    write("*.example.org", "192.168.56.11")
    path = clouds.write_secrets(folder)
    cloud = inputs.read(clouds.inventory(tls_ca="corporate.pem", **NAMED), path)
    assert cloud.certificates.server == (
        (folder / "server.crt").read_text() + (folder / "server.key").read_text()
    )
    assert cloud.certificates.ca == (folder / "corporate.pem").read_text()
    assert cloud.ca_file == CA
    assert list(cloud.shown("controller")) == ["openstack"]
    # A CA that every system knows needs no word.
    cloud = inputs.read(clouds.inventory(**NAMED), path)
    assert (cloud.ca_file, cloud.secured("internal")) == (None, True)
    assert "cacert" not in cloud.admin_credentials


def harmed(harm):
    def apply(folder, write):
        write("cloud.example.org", "192.168.56.11")
        harm(folder, write)

    return apply


def _another_key(folder, write):
    (folder / "server.key").write_text(certificates.key_text(certificates.new_key()))


def _another_ca(folder, write):
    other = certificates.make_root(certificates.new_key(), "Other", NOW)
    (folder / "corporate.pem").write_text(certificates.text(other))


def _wrong_order(folder, write):
    text = (folder / "server.crt").read_text()
    other = certificates.make_root(certificates.new_key(), "Other", NOW)
    (folder / "server.crt").write_text(text + certificates.text(other))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_another_key, "server.crt: the key is not this certificate's: they must be a pair"),
        (_another_ca, "which is not among the trusted: CN=Other root CA,O=Other"),
        (_wrong_order, "is not signed by the next certificate in the file"),
        (
            lambda folder, write: write("cloud.example.org"),
            "is for cloud.example.org, and not for 192.168.56.11",
        ),
        (
            lambda folder, write: write("cloud.example.org", "192.168.56.11", now=NOW - timedelta(days=400)),
            "expired on",
        ),
        (
            lambda folder, write: write("cloud.example.org", "192.168.56.11", now=NOW + timedelta(days=9)),
            "is not valid before",
        ),
        (
            lambda folder, write: (folder / "server.key").chmod(0o644),
            "has mode 0644: others can read the key",
        ),
        (lambda folder, write: (folder / "server.key").unlink(), "server.key can't be read"),
        (lambda folder, write: (folder / "server.key").write_text("x"), "has no key in PEM"),
        (lambda folder, write: (folder / "server.crt").write_text("x"), "has no certificate in PEM"),
    ],
)
def test_what_can_be_wrong_with_it(own, harm, words):
    folder, _ = own
    harmed(harm)(*own)
    assert words in refused(folder, tls_ca="corporate.pem", **NAMED)


@pytest.mark.parametrize(
    ("name", "covered"),
    [("a.example.org", True), ("A.Example.org.", True), ("a.b.example.org", False), ("example.org", False)],
)
def test_a_wildcard_is_one_label(own, name, covered):
    folder, write = own
    write("*.example.org")
    chain = certificates.read_chain((folder / "server.crt").read_text(), "it")
    assert certificates.covers(chain[0], name) is covered


# What the files say


def test_every_url_of_all(make):
    cloud = make(**ALL)
    nova = cloud.service("nova")
    assert nova.url("public") == "https://cloud.example.org:8774/v2.1"
    assert nova.url("internal") == nova.url("admin") == "https://192.168.56.11:8774/v2.1"
    assert cloud.auth_url == "https://192.168.56.11:5000"
    assert cloud.horizon_url == "https://cloud.example.org/"
    assert cloud.console_url == "https://cloud.example.org:6080/vnc_auto.html"
    assert cloud.login_url("admin") == "https://cloud.example.org:5000/v3"
    assert cloud.admin_credentials["cacert"] == CA


def test_every_url_of_public(make):
    cloud = make(**PUBLIC)
    nova = cloud.service("nova")
    assert nova.url("public") == "https://203.0.113.11:8774/v2.1"
    assert nova.url("internal") == nova.url("admin") == "http://192.168.56.11:8774/v2.1"
    assert cloud.console_url.startswith("https://203.0.113.11")
    assert cloud.login_url("admin") == "https://203.0.113.11:5000/v3"
    assert "cacert" not in cloud.admin_credentials
    inside = make(**PUBLIC, login_address="192.168.56.11")
    assert inside.login_url("demo") == "http://192.168.56.11:5000/v3"


def test_every_section_that_logs_in_is_told_of_the_ca(make):
    found = files(make(**ALL), **ALL)
    told = 0
    for path, text in ((path, text) for host in found.values() for path, text in host.items()):
        if not path.endswith((".conf", ".ini")) or "auth_url" not in text:
            continue
        for section, wanted in read_wanted(text).items():
            if "auth_url" in wanted:
                assert wanted["cafile"] == CA, f"{path} [{section}]"
                told += 1
    assert told > 15
    nova, cinder = found["controller"]["/etc/nova/nova.conf"], found["controller"]["/etc/cinder/cinder.conf"]
    assert options(nova)["glance", "cafile"] == CA
    assert options(nova)["vnc", "novncproxy_host"] == "127.0.0.1"
    assert options(cinder)["DEFAULT", "glance_ca_certificates_file"] == CA
    metadata = options(found["controller"]["/etc/neutron/metadata_agent.ini"])
    assert metadata["DEFAULT", "nova_metadata_protocol"] == "https"
    assert metadata["DEFAULT", "auth_ca_cert"] == CA
    for service in ("keystone/keystone", "glance/glance-api", "placement/placement", "nova/nova"):
        wanted = options(found["controller"][f"/etc/{service}.conf"])
        assert wanted["oslo_middleware", "enable_proxy_headers_parsing"] == "true"
    assert options(found["controller"]["/etc/glance/glance-api.conf"])["DEFAULT", "bind_host"] == "127.0.0.1"


def test_public_tells_no_service_of_a_ca(make):
    found = files(make(**PUBLIC), **PUBLIC)["controller"]
    assert not any("cafile" in text for text in found.values())
    nova = options(found["/etc/nova/nova.conf"])
    assert nova["keystone_authtoken", "www_authenticate_uri"] == "https://203.0.113.11:5000"
    assert nova["keystone_authtoken", "auth_url"] == "http://192.168.56.11:5000"
    assert nova["oslo_middleware", "enable_proxy_headers_parsing"] == "true"
    assert nova["vnc", "novncproxy_host"] == "192.168.56.11"
    metadata = options(found["/etc/neutron/metadata_agent.ini"])
    assert metadata["DEFAULT", "nova_metadata_protocol"] == "http"


@pytest.mark.parametrize("settings", [ALL, PUBLIC], ids=["all", "public"])
def test_horizon_and_the_credentials(make, settings):
    found = files(make(**settings), **settings)["controller"]
    values = {}
    exec(found["/etc/openstack-dashboard/local_settings.d/_9999_openstack.py"], {}, values)
    assert values["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert values["CSRF_COOKIE_SECURE"] is values["SESSION_COOKIE_SECURE"] is True
    assert values.get("OPENSTACK_SSL_CACERT") == (CA if settings is ALL else None)
    assert f"export OS_CACERT={CA}\n" in found["/root/demo-openrc.sh"]
    assert found["/etc/openstack/clouds.yaml"].count(f"    cacert: {CA}\n") == 2
    address = settings["public_address"]
    assert (
        f"Redirect permanent / https://{address}/"
        in found["/etc/apache2/conf-enabled/openstack-horizon.conf"]
    )


def test_every_host_has_the_ca_and_only_proxies_have_keys(make):
    cloud = make(**ALL)
    for host, found in files(cloud, **ALL).items():
        assert found[CA] == cloud.certificates.ca
        keys = [path for path, text in found.items() if "PRIVATE KEY" in text]
        assert keys == (
            ["/etc/haproxy/certs/openstack.pem", "/etc/haproxy/certs/host.pem"]
            if host == "controller"
            else []
        )


def test_no_key_is_shown(make, capsys):
    cloud = make(**ALL)
    assert "PRIVATE" not in repr(cloud)
    recorders = render.render(clouds.inventory(**ALL), cloud)
    assert not any("PRIVATE" in line for found in recorders.values() for line in found.operations)


# haproxy


SHOWN = "ssl crt /etc/haproxy/certs/openstack.pem crt /etc/haproxy/certs/host.pem"


def test_haproxy_on_a_controller_takes_in_what_has_tls_for_its_own_apis(make):
    found = clouds.haproxy(make(**ALL), "controller")
    ports = {5000, 9292, 8778, 8774, 9696, 8776, 6080, 8775, 443}
    bound = [line for lines in found.values() for line in lines if line.startswith("bind")]
    assert sorted(bound) == sorted(f"bind 192.168.56.11:{port} {SHOWN}" for port in ports)
    assert "server keystone-api1 127.0.0.1:5000" in found["keystone-api"]
    assert "server horizon1 127.0.0.1:80" in found["horizon"]
    assert "timeout tunnel 60m" in found["console"]
    assert [name for name, lines in found.items() if "option forwardfor" not in lines] == ["nova-metadata"]
    for lines in found.values():
        assert "mode http" in lines
        assert "http-request set-header X-Forwarded-Proto https if { ssl_fc }" in lines


def test_haproxy_of_public_leaves_the_internal_address_to_the_apis(make):
    cloud = make(**PUBLIC)
    found = clouds.haproxy(cloud, "controller")
    assert set(found) == {
        "keystone-api", "glance-api", "placement-api", "nova-api", "neutron-api", "cinder-api", "console",
        "horizon",
    }  # fmt: skip
    assert f"bind 203.0.113.11:5000 {SHOWN}" in found["keystone-api"]
    assert "server keystone-api1 192.168.56.11:5000" in found["keystone-api"]
    assert cloud.api_address("controller") == "192.168.56.11"
    named = make(tls="public", public_address="cloud.example.org", public_bind_address="203.0.113.11")
    assert named.public_bind("controller") == "203.0.113.11"


def test_haproxy_on_load_balancers(make):
    settings = {**ALL, **VIRTUAL}
    cloud = make(BALANCERS, **settings)
    found = clouds.haproxy(cloud, "lb2")
    assert f"bind 192.168.56.240:5000 {SHOWN}" in found["keystone-api"]
    assert "server keystone-api1 192.168.56.11:5000 check inter 5000 fall 3 rise 5" in found["keystone-api"]
    assert found["openstack_mysql"][:2] == ["bind 192.168.56.240:3306", "mode tcp"]
    assert found["horizon"][:2] == [f"bind 192.168.56.240:443 {SHOWN}", "bind 192.168.56.240:80"]
    assert "redirect scheme https code 301 unless { ssl_fc }" in found["horizon"]
    # The APIs are on hosts of their own, and stay as they are.
    assert cloud.api_address("controller") is None
    both = {**PUBLIC, **VIRTUAL}
    found = clouds.haproxy(make(BALANCERS, **both), "lb1")
    assert found["nova-api"][:2] == ["bind 192.168.56.240:8774", f"bind 203.0.113.11:8774 {SHOWN}"]
    assert found["console"][0] == f"bind 203.0.113.11:6080 {SHOWN}"


def test_the_start_scripts_are_told():
    text = render_template("templates/common/api-defaults.j2")
    assert 'sed "s/--http-socket :/--http-socket $OPENSTACK_API_ADDRESS:/"' in text


# Verify and the firewall


def test_ports_units_and_openings(make):
    cloud = make(**PUBLIC)
    there = {(port.address, port.port, port.service) for port in expected.ports(cloud)}
    assert ("203.0.113.11", 443, "haproxy (horizon)") in there
    assert ("192.168.56.11", 8774, "nova") in there
    assert "haproxy" in expected.units(cloud, "controller")
    assert "haproxy" not in expected.units(cloud, "compute")
    assert "haproxy" in cloud.packages("controller")
    assert "443/tcp" in firewall.openings(cloud, cloud.node("controller"))["203.0.113.11"]
    every = make(**ALL)
    listed = [(port.host, port.address, port.port) for port in expected.ports(every)]
    assert len(set(listed)) == len(listed)
    assert "443/tcp" in firewall.openings(every, every.node("controller"))["192.168.56.11"]


def test_what_verify_asks_for(make):
    request = verify.api_request(make(**ALL), {})
    assert request["ca"] == CA
    assert ["cloud.example.org", 443] in request["tls"]
    assert ["192.168.56.11", 8775] in request["tls"]
    public = verify.api_request(make(**PUBLIC), {})["tls"]
    assert {address for address, _ in public} == {"203.0.113.11"}
    assert verify.api_request(make(), {})["tls"] == []


def section(cloud, found):
    answers = verdict.Answers(api={"certificates": found})
    report = verify.judge(cloud, answers)
    return [check for check in report.checks if check.section == "Certificates"], report.warnings


def test_certificates_in_verify(make):
    cloud = make(**ALL)
    places = [f"{address}:{port}" for address, port in expected.tls_endpoints(cloud)]
    checks, warnings = section(cloud, dict.fromkeys(places, 396.4))
    assert [check.check for check in checks] == places
    assert all(check.ok and check.found == "396 days left" for check in checks)
    assert not any("certificate" in warning for warning in warnings)
    odd = {places[0]: 29.9, places[1]: "refused: certificate has expired", places[2]: -1.0}
    checks, warnings = section(cloud, {**dict.fromkeys(places, 396.4), **odd})
    assert [check.ok for check in checks[:4]] == [True, False, False, True]
    assert checks[1].found == "refused: certificate has expired"
    assert f"the certificate of {places[0]} ends in 30 days: renew it (docs/tls.md)" in warnings
    checks, _ = section(cloud, {})
    assert {check.found for check in checks} == {"no answer"}


def test_without_tls_there_is_no_such_section(make):
    assert section(make(), {})[0] == []


@pytest.mark.parametrize("release", ["zed", "epoxy"])
@pytest.mark.parametrize("settings", [ALL, PUBLIC], ids=["all", "public"])
def test_every_option_is_one_that_the_release_knows(make, release, settings):
    settings = {**settings, "release": release}
    rendered = files(make(**settings), **settings)
    assert complaints(rendered, known(release)) == []
