"""Whether connections are taken: the program itself, against sockets of this machine."""

import socket
import subprocess
import threading
import time

import pytest

from facts.answering import Unreached


def unreached(*places, timeout=0):
    command = Unreached().command(list(places), timeout)
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    return Unreached().process(ran.stdout.splitlines())


@pytest.fixture
def listening():
    """A function: the place of a socket that does this with each connection."""
    sockets = []

    def listening(serve):
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)

        def loop():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                serve(connection)

        threading.Thread(target=loop, daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield listening
    for server in sockets:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def test_one_that_greets_and_one_that_waits_are_reached(listening):
    kept = []
    assert unreached(listening(lambda c: (c.sendall(b"J"), kept.append(c))), listening(kept.append)) == {}


def test_one_that_closes_at_once_is_not(listening):
    place = listening(lambda connection: connection.close())
    assert unreached(place) == {place: "closed at once"}


def test_one_that_is_not_there_is_named_beside_one_that_is(listening):
    kept = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"127.0.0.1:{server.getsockname()[1]}"
    assert unreached(listening(kept.append), gone) == {gone: "[Errno 111] Connection refused"}


def test_one_that_comes_later_is_waited_for(listening):
    kept, began = [], time.monotonic()

    def serve(connection):
        if time.monotonic() - began < 1:
            connection.close()
        else:
            kept.append(connection)

    assert unreached(listening(serve), timeout=20) == {}
    assert time.monotonic() - began < 10
