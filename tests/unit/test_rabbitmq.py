"""RabbitMQ's definitions."""

import json

from cloud import rabbitmq

# The example of https://www.rabbitmq.com/docs/passwords: salt 908DC60A, password test12.
HASH = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
USER = {"name": "openstack", "password_hash": HASH, "hashing_algorithm": rabbitmq.ALGORITHM, "tags": []}
PERMISSION = {"user": "openstack", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
SERVER = {"users": [USER], "vhosts": [{"name": "/"}], "permissions": [PERMISSION]}


def missing(server, password="test12", vhost="/", tags=()):
    return rabbitmq.missing(server, "openstack", password, vhost, tags, (".*", ".*", ".*"))


def test_password_hash():
    assert rabbitmq.password_hash("test12", bytes.fromhex("908DC60A")) == HASH


def test_each_hash_has_its_own_salt():
    assert rabbitmq.password_hash("test12") != rabbitmq.password_hash("test12")


def test_matches():
    assert rabbitmq.matches("test12", USER)
    assert not rabbitmq.matches("test13", USER)
    assert not rabbitmq.matches("test12", {**USER, "hashing_algorithm": "rabbit_password_hashing_md5"})
    assert not rabbitmq.matches("", {**USER, "password_hash": ""})


def test_nothing_is_missing():
    assert missing(SERVER) == {}
    assert missing({**SERVER, "users": [{**USER, "tags": ""}]}) == {}
    assert missing({**SERVER, "users": [{**USER, "tags": "monitoring,administrator"}]},
                   tags=["administrator", "monitoring"]) == {}  # fmt: skip


def test_another_password():
    definitions = missing(SERVER, password="hunter2")
    assert list(definitions) == ["users"]
    assert rabbitmq.matches("hunter2", definitions["users"][0])
    assert "hunter2" not in json.dumps(definitions)


def test_empty_server():
    definitions = missing({"users": [], "vhosts": [], "permissions": []})
    assert sorted(definitions) == ["permissions", "users", "vhosts"]
    assert definitions["permissions"] == [PERMISSION]
