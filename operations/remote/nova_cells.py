"""Runs on the first controller: which cells nova knows, and which compute hosts are mapped into them.

Request: ``{"host", "user", "password", "api": database, "cell": database}``.
Answer: ``{"cells": {uuid: {"name", "transport_url", "database_connection"}}, "mapped": [host, …],
"reported": [host, …]}``; a table that is not there yet has no rows.
"""

import pymysql


def rows(connection, database, query):
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s", (database,))
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(query)
        return list(cursor.fetchall())


def main(request):
    connection = pymysql.connect(
        host=request["host"], user=request["user"], password=request["password"], connect_timeout=10
    )
    api, cell = request["api"], request["cell"]
    try:
        cells = rows(
            connection,
            api,
            "SELECT uuid, name, transport_url, database_connection FROM %s.cell_mappings" % api,
        )
        mapped = rows(connection, api, "SELECT host FROM %s.host_mappings" % api)
        reported = rows(connection, cell, "SELECT host FROM %s.compute_nodes WHERE deleted = 0" % cell)
    finally:
        connection.close()
    return {
        "cells": {
            row[0]: dict(zip(("name", "transport_url", "database_connection"), row[1:])) for row in cells
        },
        "mapped": sorted(row[0] for row in mapped),
        "reported": sorted({row[0] for row in reported}),
    }
