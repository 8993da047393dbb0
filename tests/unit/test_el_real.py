"""The map from Debian's packages to EL's, and the audit of what comes out. Both are pure."""

import re
import subprocess
from dataclasses import replace

import pytest

from lab.el import audit, convert, dress, infrastructure, openstack, real, repository
from lab.el.rpm import UNITS, Rpm, Text, spec
from lab.shell import LabError

PACKAGES = {package.name: package for package in real.packages()}


def test_every_package_with_programs_has_content():
    wanted = {package.name for package in openstack.EL9 if package.programs} - {openstack.STUB.name}
    assert wanted <= set(real.CONTENTS)
    assert openstack.STUB.name not in PACKAGES


def test_units_accounts_and_names_stay_those_of_el():
    for package in openstack.EL9:
        if package == openstack.STUB:
            continue
        found = PACKAGES[package.name]
        assert set(package.units) <= set(found.units)
        assert {account.name for account in package.accounts} <= {account.name for account in found.accounts}
        assert set(package.requires) <= set(found.requires)


def test_no_package_of_debian_is_divided_twice():
    debs = [deb for content in real.CONTENTS.values() for deb in content.debs]
    assert len(set(debs)) == len(debs)
    assert not set(debs) & set(real.ONLY_TAKEN_FROM)
    assert set(real.debs()) == {*debs, *real.ONLY_TAKEN_FROM}


def test_samples_keep_els_attributes_and_have_no_text_of_the_stand_ins():
    conf = PACKAGES["openstack-nova-common"].files["/etc/nova/nova.conf"]
    assert conf == Text("", "0640", "root", "nova")
    assert PACKAGES["openstack-nova-common"].files["/etc/sudoers.d/nova"] == Text("", "0440")
    assert PACKAGES["openstack-cinder"].files["/etc/cinder/rootwrap.conf"].mode == "0640"
    # A program keeps the mode that it has.
    assert "/usr/bin/nova-novncproxy" not in PACKAGES["openstack-nova-novncproxy"].files


def test_libraries_are_packages_of_their_own():
    assert "python3-nova" in PACKAGES["openstack-nova-common"].requires
    assert "python3-nova" in PACKAGES


def test_active_lines_of_a_sample_become_comments():
    pattern, new = real.SAMPLES
    text = "[nova]\n# region\nregion_name = regionOne\n#x = 1\nauth_type=password\n"
    assert re.sub(pattern, new, text) == (
        "[nova]\n# region\n#region_name = regionOne\n#x = 1\n#auth_type=password\n"
    )


def test_libvirt_is_behind_els_names():
    found = {package.name: package for package in real.system()}
    assert set(found) == {package.name for package in infrastructure.EL9}
    assert "libvirtd" in found["libvirt-daemon-kvm"].files[f"{UNITS}/virtqemud.service"].text
    assert set(infrastructure.LIBVIRT9.units) == set(real.LIBVIRT.units)


def test_whatever_a_package_needs_is_provided():
    beside = (*infrastructure.CRB, *infrastructure.NFV, *infrastructure.MESSAGING)
    filled = [replace(package, content=("/x",)) if package.debs else package for package in PACKAGES.values()]
    assert audit.problems((*real.system(), *beside, *filled), lambda _: True) == []
    assert audit.problems((*infrastructure.EL9, *beside, *openstack.EL9), lambda _: True) == []


@pytest.mark.parametrize("script", [dress.DEPENDENCIES, repository.PUBLISH])
def test_the_scripts_are_shell(script):
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


@pytest.fixture
def unpacked(tmp_path):
    """Every package of Debian's, with the files that the map names, and one library each."""
    folder = tmp_path / "debs"
    for deb in real.debs():
        (folder / deb).mkdir(parents=True)
    for name, content in real.CONTENTS.items():
        first = folder / (content.debs or real.ONLY_TAKEN_FROM)[0]
        for number, source in enumerate((*content.taken.values(), *content.trees.values())):
            place = first / source.lstrip("/")
            if source in content.trees.values():
                place = place / f"inside-{number}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("[x]\na = 1\n")
        for deb in content.debs:
            program = folder / deb / "usr/bin" / f"{name}-{deb}"
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text("#!/bin/sh\n")
        if content.library:
            for module in ("one.py", "two.py"):
                place = folder / content.debs[-1] / real.PYTHON.lstrip("/") / content.library / module
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text("")
    (folder / "nova-api/etc/init.d").mkdir(parents=True)
    (folder / "nova-api/etc/init.d/nova-api").write_text("")
    return convert.Unpacked(folder)


def test_files_are_divided(unpacked, tmp_path):
    root = tmp_path / "root"
    found = {package.name: package for package in convert.divide(real.packages(), unpacked, root)}
    assert found["python3-nova"].content == (f"{real.PYTHON}/python3-nova",)
    assert "/usr/bin/placement-api" in found["openstack-placement-api"].content
    assert "/usr/bin/openstack-nova-api-nova-api" in found["openstack-nova-api"].content
    assert (root / "etc/nova/nova.conf").read_text() == "[x]\n#a = 1\n"
    # What the tables name is not listed again, what Debian alone needs is not there.
    listed = [path for package in found.values() for path in package.content]
    assert len(set(listed)) == len(listed)
    assert "/etc/nova/nova.conf" not in listed
    assert not (root / "etc/init.d").exists()
    text = spec(found.values(), "1.el9")
    assert f'%attr(-,root,root) "{real.PYTHON}/python3-nova"' in text
    assert '%config(noreplace) %attr(0640,root,nova) "/etc/nova/nova.conf"' in text


def test_a_file_that_debian_has_no_more_is_named(unpacked, tmp_path):
    (unpacked.folder / "nova-common/usr/share/nova-common/nova.conf").unlink()
    with pytest.raises(LabError, match=r"/usr/share/nova-common/nova\.conf"):
        convert.divide(real.packages(), unpacked, tmp_path / "root")


def test_a_package_that_was_not_downloaded_is_named(tmp_path):
    for deb in set(real.debs()) - {"novnc", "keystone"}:
        (tmp_path / f"{deb}_1%3a1.0_all.deb").touch()
    with pytest.raises(LabError, match="keystone, novnc"):
        convert.unpack(tmp_path, tmp_path / "unpacked")


SOUND = Rpm(
    "service",
    files={
        f"{UNITS}/service.service": Text(
            "[Service]\nExecStartPre=-/bin/true\nExecStart=/usr/bin/service x\n"
        ),
        "/etc/httpd/conf.d/service.conf": Text("  WSGIScriptAlias / /usr/share/site/wsgi/site.wsgi\n"),
    },
    requires=("systemd", "/bin/sh", "other"),
    debs=("service",),
    content=("/usr/bin/service", "/usr/share/site"),
)
OTHER = Rpm("something", provides=("other",))


def test_the_audit_passes_what_is_sound():
    assert audit.problems([SOUND, OTHER], lambda path: path == "/bin/true") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"content": ()}, "service has nothing of service"),
        ({"content": ("/usr/share/site",)}, "service.service names /usr/bin/service"),
        ({"content": ("/usr/bin/service",)}, "service.conf names /usr/share/site/wsgi/site.wsgi"),
        ({"requires": ("missing",)}, "service needs missing"),
    ],
)
def test_the_audit_names_what_is_missing(change, said):
    found = audit.problems([replace(SOUND, **change), OTHER], lambda path: path == "/bin/true")
    assert any(said in problem for problem in found), found


def test_the_audit_asks_the_root_for_programs():
    assert audit.problems([SOUND, OTHER], lambda _: False) == [
        f"service: {UNITS}/service.service names /bin/true"
    ]
