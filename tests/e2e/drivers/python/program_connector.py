"""PyPI mysql-connector-python against one server; see ../../spec.ts for the job and the cases.

The second argument `pure` chooses the implementation in Python instead of that in C.
"""

import sys

import mysql.connector
from adapter import Adapter
from cases import main
from values import JOB

PURE = sys.argv[2:] == ["pure"]


class Connector(Adapter):
    prepares = True
    has_state = True
    # As of 9.7: TIME loses its sign or all of it, unsigned 64 bits fail in the C implementation,
    # which also rounds DOUBLE to FLOAT; seekdb refuses the type that DECIMAL is sent as.
    text_parameters = frozenset(["time", "decimal"] if PURE else ["time", "decimal", "double", "uint"])
    # As of 9.7: the days of a negative TIME and a byte of YEAR are lost, or unsigned 64 bits are read as signed ones, and rows of
    # several packets are not put together.
    misread = frozenset(["year", "time"] if PURE else ["uint"])
    reads_big_rows = not PURE
    # Without TLS it has no full authentication by caching_sha2_password, which MySQL asks for when
    # a password is wrong: then the driver itself gives up, with its own code.
    refused = frozenset([1045, 2061, -1])

    def connect(self, **options):
        settings = {
            "host": JOB["host"],
            "port": JOB["port"],
            "user": JOB["user"],
            "password": JOB["password"],
            "database": JOB["database"],
            "charset": "utf8mb4",
            "collation": None,
            "ssl_disabled": True,
            "allow_local_infile": True,
            "connection_timeout": 10,
            "use_pure": PURE,
        }
        return mysql.connector.connect(**(settings | options))

    def error(self, error):
        # The C implementation lets errors of its lower half through.
        if not hasattr(error, "errno"):
            raise error
        if error.errno == -1 and hasattr(error.__context__, "errno"):
            error = error.__context__
        return error.errno, error.sqlstate, error.msg

    def prepared_cursor(self, connection):
        return connection.cursor(prepared=True)

    def streaming_cursor(self, connection):
        return connection.cursor(buffered=False)

    def set_autocommit(self, connection, value):
        connection.autocommit = value
        assert connection.autocommit == value

    def begin(self, connection):
        connection.start_transaction()
        assert connection.in_transaction

    def greeting(self, connection):
        return connection.server_info

    def statements(self, connection, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            results = []
            while True:
                results.append(cursor.fetchall() if cursor.description else cursor.rowcount)
                if not cursor.nextset():
                    return results

    def call(self, connection, name, arguments):
        with connection.cursor() as cursor:
            out = cursor.callproc(name, arguments)
            return out, [result.fetchall() for result in cursor.stored_results()]

    def reset(self, connection):
        connection.cmd_reset_connection()

    def change_user(self, connection, user, password, database):
        connection.cmd_change_user(user, password, database)

    def ping(self, connection, reconnect):
        connection.ping(reconnect=reconnect, attempts=3)

    def warning_count(self, cursor):
        return cursor.warning_count


main(Connector())
