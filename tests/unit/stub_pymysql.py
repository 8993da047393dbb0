"""What openstack-images needs of pymysql, on top of a file of SQLite: ``STUB_DATABASE`` names it."""

import os
import sqlite3


class err:
    class MySQLError(Exception):
        pass


class Cursor:
    def __init__(self, cursor):
        self.cursor = cursor

    def __getattr__(self, name):
        return getattr(self.cursor, name)

    def execute(self, statement, arguments=None):
        if statement == "SET SESSION TRANSACTION READ ONLY":
            statement = "PRAGMA query_only = 1"
        if os.environ.get("STUB_BREAKS") and statement.startswith("SELECT id"):
            raise err.MySQLError(2013, "Lost connection to server during query")
        try:
            self.cursor.execute(statement.replace("%s", "?"), arguments or ())
        except sqlite3.Error as error:
            raise err.MySQLError(1146, str(error)) from error


class Connection:
    def __init__(self, connection):
        self.connection = connection

    def cursor(self):
        return Cursor(self.connection.cursor())

    def close(self):
        self.connection.close()


def connect(host, port, user, password, database, **_):
    assert (host, port, database) == ("192.0.2.1", 3306, "glance")
    if password != "GLANCE_DBPASS":
        raise err.MySQLError(1045, f"Access denied for user '{user}'")
    path = os.environ["STUB_DATABASE"]
    if not os.path.exists(path):  # noqa: PTH110
        raise err.MySQLError(2003, f"Can't connect to MySQL server on '{host}'")
    return Connection(sqlite3.connect(path))
