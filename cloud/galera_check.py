"""How haproxy asks a member of MariaDB's cluster for its state: packets that it sends as they are. Pure.

``option mysql-check`` only logs in, which a member without a majority, or one that still receives all data,
allows, too. The usual way round that is a small web server on each member; the protocol needs none, as an
account without password has nothing to compute.

Sources: dev.mysql.com, MySQL Internals, HandshakeResponse41, COM_QUERY and COM_QUIT; haproxy's configuration
manual, tcp-check.
"""

from __future__ import annotations

from collections.abc import Iterator

# CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41 and CLIENT_SECURE_CONNECTION.
CAPABILITIES = 0x1 | 0x200 | 0x8000
LARGEST = 1 << 24
UTF8 = 33
QUERY, QUIT = b"\x03", b"\x01"
# SHOW is answered without a majority, too, and needs no right.
STATE = "SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'"


def conversation(user: str) -> Iterator[tuple[str, str]]:
    """haproxy's ``tcp-check`` steps, in their order: what to do, and with what.

    Args:
        user: an account without password.
    """
    login = CAPABILITIES.to_bytes(4, "little") + LARGEST.to_bytes(4, "little") + bytes([UTF8]) + bytes(23)
    yield "expect string", "mysql_native_password"
    yield "send-binary", _packet(login + user.encode() + b"\0" + b"\0", number=1)
    # An OK: nothing changed, no row, autocommit.
    yield "expect binary", "0700000200000002"
    yield "send-binary", _packet(QUERY + STATE.encode())
    yield "expect string", "Synced"
    # A connection that only ends is a line in MariaDB's log.
    yield "send-binary", _packet(QUIT)


def _packet(payload: bytes, number: int = 0) -> str:
    return (len(payload).to_bytes(3, "little") + bytes([number]) + payload).hex()
