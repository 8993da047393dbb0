"""Secrets: written once, never shown, never weak by accident."""

import stat
import tomllib

import pytest

from cloud import secrets
from cloud.releases import Release


@pytest.fixture
def inventory(tmp_path):
    path = tmp_path / "inventory.py"
    path.write_text("")
    return path


def values_of(inventory):
    values, wrong = secrets.load(secrets.path_for(inventory))
    assert not wrong
    return values


def test_written_next_to_the_inventory_and_readable_by_its_owner_only(inventory, capsys):
    assert secrets.main([str(inventory)]) == 0
    path = inventory.parent / "secrets.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = values_of(inventory)
    assert set(values) == set(secrets.NAMES)
    assert len(set(values.values())) == len(values)
    assert secrets.problems(values) == []
    shown = capsys.readouterr()
    assert not any(value in shown.out + shown.err for value in values.values())


def test_an_existing_file_is_kept(inventory, capsys):
    secrets.main([str(inventory)])
    before = values_of(inventory)
    assert secrets.main([str(inventory)]) == 1
    assert "--add" in capsys.readouterr().err
    assert values_of(inventory) == before


def test_add_keeps_what_is_there(inventory):
    secrets.main([str(inventory)])
    path = secrets.path_for(inventory)
    before = values_of(inventory)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "nova_service" not in line))
    assert secrets.main([str(inventory), "--add"]) == 0
    after = values_of(inventory)
    assert {k: v for k, v in after.items() if k != "nova_service_password"} == {
        k: v for k, v in before.items() if k != "nova_service_password"
    }
    assert after["nova_service_password"] != before["nova_service_password"]
    assert secrets.main([str(inventory), "--add"]) == 0
    assert values_of(inventory) == after


def test_an_inventory_that_is_not_there(tmp_path, capsys):
    assert secrets.main([str(tmp_path / "nothing.py")]) == 1
    assert "no such inventory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "empty"),
        ("short", "shorter than 12"),
        ("Password12345", "default"),
        ("glanceglanceglance", "default"),
        ("openstack-2026-x", "default"),
        ("aaaaaaaaaaaaaaaa", "repeats"),
        ("with a blank in it 12", "character"),
        ("dollar$dollar$dollar", "character"),
        (12345678901234, "no text"),
    ],
)
def test_weak_secrets(value, reason):
    assert reason in secrets.weakness("glance_database_password", value)


def test_weak_ones_pass_only_where_that_was_asked_for():
    values = dict.fromkeys(secrets.NAMES, "keystone")
    assert secrets.problems(values)
    assert secrets.problems(values, allow_weak=True) == []
    values["admin_password"] = "with'quote"
    assert len(secrets.problems(values, allow_weak=True)) == 1


def test_problems_never_show_a_secret():
    values = {"admin_password": "Sh0rt!", "unknown_one": "S3cretValue"}
    text = "\n".join(secrets.problems(values))
    assert "unknown secret unknown_one" in text
    assert "Sh0rt!" not in text
    assert "S3cretValue" not in text


def test_a_file_that_others_can_read_is_refused(inventory):
    secrets.main([str(inventory)])
    path = secrets.path_for(inventory)
    path.chmod(0o644)
    _, wrong = secrets.load(path)
    assert "chmod 600" in wrong[0]


def test_what_is_drawn_is_never_what_is_refused(monkeypatch):
    good = "0f" * 4 + "31415926d5a8c7e9b0f2468ace13579bdf024680"
    drawn = iter([f"12345{'6' * 43}", good])
    monkeypatch.setattr(secrets.random, "token_hex", lambda size: next(drawn))
    assert secrets.fresh("nova_service_password") == good


def test_a_release_needs_the_secrets_that_it_uses(inventory):
    values = tomllib.loads(secrets.generate({}))
    assert secrets.problems(values, release=Release("liberty")) == ["secret keystone_admin_token is missing"]
    for name in ("placement_service_password", "placement_database_password", "memcache_secret_key"):
        del values[name]
    values["keystone_admin_token"] = secrets.fresh("keystone_admin_token")
    assert secrets.problems(values, release=Release("liberty")) == []
    assert len(secrets.problems(values, release=Release("epoxy"))) == 3


def test_a_cloud_without_volumes_needs_no_secret_for_them():
    values = {
        name: value for name, value in tomllib.loads(secrets.generate({})).items() if "cinder" not in name
    }
    assert secrets.problems(values, volumes=False) == []
    assert len(secrets.problems(values)) == 2


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("", False),
        ('database = [("db", {})]', False),
        ('database = [("db1", {}), ("db2", {}), ("db3", {})]', True),
        ('database = (["db1", "db2", "db3"], {"selinux": "permissive"})', True),
    ],
)
def test_several_database_hosts_have_a_secret_more(inventory, text, there):
    inventory.write_text(text)
    assert secrets.main([str(inventory)]) == 0
    values, _ = secrets.load(inventory.parent / secrets.FILE_NAME)
    assert ("rabbitmq_erlang_cookie" in values) is there
    assert secrets.problems(values, parts=["clusters"] if there else []) == []
    assert (secrets.problems(values, parts=["clusters"]) == []) is there


def test_only_known_secrets_may_be_readable_for_others(inventory):
    path = secrets.path_for(inventory)
    path.write_text(secrets.generate({}))
    path.chmod(0o644)
    assert "others can read it" in secrets.load(path)[1][0]
    assert secrets.load(path, allow_weak=True)[1] == []


def test_an_old_release_has_a_token_and_no_key_it_does_not_know():
    values = tomllib.loads(secrets.generate({}, Release("liberty")))
    assert "keystone_admin_token" in values
    assert not {"placement_service_password", "memcache_secret_key"} & set(values)
    assert secrets.problems(values, release=Release("liberty")) == []
    assert "keystone_admin_token" not in tomllib.loads(secrets.generate({}))


def test_an_inventory_with_load_balancers_gets_theirs(inventory):
    secrets.write(secrets.path_for(inventory), secrets.generate({}))
    assert not set(values_of(inventory)) & set(secrets.PARTS["balancers"])
    inventory.write_text('loadbalancer = ["192.168.56.60"]\n')
    assert secrets.main([str(inventory), "--add"]) == 0
    values = values_of(inventory)
    assert set(values) == {*secrets.NAMES, *secrets.PARTS["balancers"]}
    assert secrets.problems(values, parts=["balancers"]) == []
    # A cloud that had them once may keep them.
    assert secrets.problems(values) == []
