"""The cloud's own CA: what it makes, when it makes it anew, and what it never touches."""

import os
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import clouds
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from cloud import certificates, inputs, pki, secrets, tls

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SETTINGS = {"tls": "all", "public_address": "cloud.example.org", "cloud_name": "prod"}


def model(folder, **settings):
    """The model before there are certificates."""
    inventory = clouds.inventory(**{**SETTINGS, **settings})
    return inputs.read(inventory, clouds.write_secrets(folder), certified=False)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pki"


@pytest.fixture
def made(tmp_path, folder):
    pki.renew(model(tmp_path), folder, NOW)
    return folder


def load(place):
    return x509.load_pem_x509_certificates(place.read_bytes())[0]


def key(place):
    text = place.read_text()
    return serialization.load_pem_private_key(text[text.index("-----BEGIN PRIVATE") :].encode(), None)


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def state(folder):
    return {place.name: place.read_bytes() for place in folder.iterdir()}


def test_the_files_are_their_owners_alone(made):
    assert made.stat().st_mode & 0o777 == 0o700
    assert {place.name for place in made.iterdir()} == {
        "ca.pem", "ca.key", "server.pem", "host-controller.pem", "host-compute.pem", "host-storage.pem",
    }  # fmt: skip
    assert {place.stat().st_mode & 0o777 for place in made.iterdir()} == {0o600}


def test_the_root_signs_servers_for_ten_years(made):
    root = load(made / "ca.pem")
    basic, usage = extension(root, x509.BasicConstraints), extension(root, x509.KeyUsage)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.crl_sign) == (True, True, True)
    assert not usage.value.digital_signature
    assert 3650 < (root.not_valid_after_utc - NOW).days < 3660
    assert root.not_valid_before_utc < NOW
    assert isinstance(key(made / "ca.key").curve, ec.SECP256R1)
    assert root.public_key() == key(made / "ca.key").public_key()
    root.verify_directly_issued_by(root)


@pytest.mark.parametrize(
    ("file", "names", "addresses"),
    [
        ("server.pem", ["cloud.example.org"], ["192.168.56.11"]),
        ("host-controller.pem", ["controller"], ["192.168.56.11"]),
        ("host-compute.pem", ["compute"], ["192.168.56.12"]),
    ],
)
def test_a_servers_certificate(made, file, names, addresses):
    certificate, root = load(made / file), load(made / "ca.pem")
    certificate.verify_directly_issued_by(root)
    listed = extension(certificate, x509.SubjectAlternativeName).value
    assert listed.get_values_for_type(x509.DNSName) == names
    assert listed.get_values_for_type(x509.IPAddress) == [ip_address(address) for address in addresses]
    assert list(extension(certificate, x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not extension(certificate, x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=397)
    assert isinstance(key(made / file).curve, ec.SECP256R1)
    assert certificate.public_key() == key(made / file).public_key()
    # Python's own words for it, as strict as 3.13 is by default.
    context = ssl.create_default_context(cafile=made / "ca.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made / file)


def test_a_virtual_address_is_one_of_the_servers(tmp_path):
    lb = {**clouds.HOSTS, "lb1": (["loadbalancer"], {"ssh_hostname": "192.168.56.60", "interface": "eth0"})}
    cloud = inputs.read(
        clouds.inventory(lb, virtual_address="192.168.56.240", login_address="door.example.org", **SETTINGS),
        clouds.write_secrets(tmp_path, parts=["balancers"]),
        certified=False,
    )
    assert tls.server_names(cloud) == ["cloud.example.org", "192.168.56.240", "door.example.org"]


def test_again_it_does_nothing(tmp_path, made):
    before = state(made)
    assert pki.renew(model(tmp_path), made, NOW + timedelta(days=360)) == []
    assert state(made) == before


def test_what_ends_within_thirty_days_is_renewed_and_the_root_is_not(tmp_path, made):
    before, later = state(made), NOW + timedelta(days=368)
    done = pki.renew(model(tmp_path), made, later)
    assert len(done) == 4
    assert f"{made / 'server.pem'}: renewed: 29 days were left; for cloud.example.org" in done[0]
    after = state(made)
    assert {name for name in after if after[name] == before[name]} == {"ca.pem", "ca.key"}
    load(made / "server.pem").verify_directly_issued_by(load(made / "ca.pem"))
    assert certificates.days_left(load(made / "server.pem"), later) > 396
    assert pki.renew(model(tmp_path), made, later) == []


def test_whose_names_have_changed_is_renewed(tmp_path, made):
    before = state(made)
    (done,) = pki.renew(model(tmp_path, public_address="other.example.org"), made, NOW)
    assert done.endswith("server.pem: renewed: its names have changed; for other.example.org, 192.168.56.11")
    assert {name for name, text in state(made).items() if text != before[name]} == {"server.pem"}


def test_renew_all_keeps_the_root(tmp_path, made):
    before = state(made)
    assert len(pki.renew(model(tmp_path), made, NOW, everything=True)) == 4
    assert {name for name, text in state(made).items() if text == before[name]} == {"ca.pem", "ca.key"}


def test_a_broken_file_is_made_anew(tmp_path, made):
    (made / "server.pem").write_text((made / "server.pem").read_text()[:300])
    (done,) = pki.renew(model(tmp_path), made, NOW)
    assert "server.pem: made anew: the file is broken" in done


def test_one_of_another_root_is_made_anew(tmp_path, made):
    other = tmp_path / "other"
    pki.renew(model(tmp_path), other, NOW)
    (made / "server.pem").write_text((other / "server.pem").read_text())
    (done,) = pki.renew(model(tmp_path), made, NOW)
    assert "server.pem: made anew" in done
    assert "not among the trusted" in done


def test_a_run_that_was_killed_after_the_roots_key_takes_it_up(tmp_path, folder):
    folder.mkdir(mode=0o755)
    secrets.write(folder / "ca.key", certificates.key_text(certificates.new_key()))
    before = (folder / "ca.key").read_text()
    assert len(pki.renew(model(tmp_path), folder, NOW)) == 5
    assert (folder / "ca.key").read_text() == before
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            lambda folder: (folder / "ca.key").unlink(),
            r"ca\.key is missing, without which .*ca\.pem signs nothing",
        ),
        (
            lambda folder: (folder / "ca.key").write_text(certificates.key_text(certificates.new_key())),
            r"ca\.key is not the key of .*ca\.pem",
        ),
        (lambda folder: (folder / "ca.key").write_text("nothing"), r"ca\.key has no key in PEM"),
    ],
    ids=["lost", "another", "broken"],
)
def test_a_root_is_never_made_silently(tmp_path, made, harm, words):
    harm(made)
    before = state(made)
    with pytest.raises(certificates.Unusable, match=words):
        pki.renew(model(tmp_path), made, NOW)
    assert state(made) == before


def test_a_root_near_its_end_is_told_of_and_kept(tmp_path, made):
    before = (made / "ca.pem").read_bytes()
    later = NOW + timedelta(days=3500)
    done = pki.renew(model(tmp_path), made, later)
    assert "ca.pem: ends on 2036-11-20" in done[0]
    # Nothing that it signs outlives it.
    assert load(made / "server.pem").not_valid_after_utc <= load(made / "ca.pem").not_valid_after_utc
    with pytest.raises(certificates.Unusable, match=r"ca\.pem ended on 2036-11-20"):
        pki.renew(model(tmp_path), made, NOW + timedelta(days=3660))
    assert (made / "ca.pem").read_bytes() == before


INVENTORY = """
controller = [("controller", {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1"})]
compute = [("compute", {"ssh_hostname": "192.168.56.12", "provider_interface": "eth1"})]
"""


def test_the_command_line(tmp_path):
    (tmp_path / "inventory.py").write_text(INVENTORY)
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data" / "all.py").write_text('management_network = "192.168.56.0/24"\ntls = "all"\n')
    clouds.write_secrets(tmp_path)

    def run(*arguments):
        found = subprocess.run(
            [sys.executable, "-m", "cloud.pki", str(tmp_path / "inventory.py"), *arguments],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
        )
        assert found.returncode == 0, found.stderr
        return found.stdout

    text = run()
    assert "a new CA; keep" in text
    assert "server.pem: made; for 192.168.56.11" in text
    assert run() == f"{tmp_path / 'pki'}: nothing to do\n"
    assert run("--renew-all").count(": renewed; for ") == 3
    assert not any("BEGIN" in line for line in text.splitlines())
