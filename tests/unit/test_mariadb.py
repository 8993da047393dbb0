"""SQL for databases, accounts and grants."""

from cloud import mariadb

WANTED = {"database": "nova_api", "user": "nova", "password": "password", "hosts": ["%"]}
HASH = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"  # SELECT PASSWORD('password')


def found(schemas=None, users=None, grants=None):
    return {"schemas": schemas or {}, "users": users or {}, "grants": grants or {}}


def test_password_hash():
    assert mariadb.password_hash("password") == HASH


def test_quoting():
    assert mariadb.text("a'b\\c") == "'a''b\\\\c'"
    assert mariadb.name("a`b") == "`a``b`"
    assert mariadb.pattern("nova_api%") == "`nova\\_api\\%`"


def test_one_statement_for_account_password_and_grant():
    assert mariadb.missing(found({"nova_api": ["utf8mb4", "x"]}), [WANTED], "utf8mb4", "") == [
        f"GRANT ALL PRIVILEGES ON `nova\\_api`.* TO 'nova'@'%' IDENTIFIED BY PASSWORD '{HASH}'"
    ]


def test_nothing_is_missing():
    server = found({"nova_api": ["utf8", "utf8_general_ci"]}, {"nova@%": HASH}, {"nova@%": ["nova_api"]})
    assert mariadb.missing(server, [WANTED], "utf8mb3", "utf8mb3_general_ci") == []


def test_the_character_set_that_a_migration_chose_is_kept():
    # cinder's first migration alters its database to utf8; MariaDB 11.8 adds a collation of its own.
    server = found(
        {"nova_api": ["utf8mb3", "utf8mb3_uca1400_ai_ci"]}, {"nova@%": HASH}, {"nova@%": ["nova_api"]}
    )
    assert mariadb.missing(server, [WANTED], "utf8mb3", "utf8mb3_general_ci") == []


def test_no_password_is_in_any_statement():
    statements = mariadb.missing(found(), [{**WANTED, "password": "hunter2"}], "utf8mb4", "")
    assert statements
    assert not any("hunter2" in statement for statement in statements)
