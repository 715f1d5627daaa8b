"""PyPI PyMySQL against one server; see ../../spec.ts for the job and the cases."""

import pymysql
from adapter import Adapter
from cases import main
from pymysql.constants import CLIENT
from values import JOB


class PyMySQL(Adapter):
    has_state = True

    def connect(self, **options):
        settings = {
            "host": JOB["host"],
            "port": JOB["port"],
            "user": JOB["user"],
            "password": JOB["password"],
            "database": JOB["database"],
            "charset": "utf8mb4",
            "ssl_disabled": True,
            "local_infile": True,
            "client_flag": CLIENT.MULTI_STATEMENTS,
            "max_allowed_packet": 64 << 20,
            "connect_timeout": 10,
        }
        return pymysql.connect(**(settings | options))

    def error(self, error):
        if not isinstance(error, pymysql.MySQLError):
            raise error
        return error.args[0], error.sqlstate, error.args[1]

    def streaming_cursor(self, connection):
        return connection.cursor(pymysql.cursors.SSCursor)

    def set_autocommit(self, connection, value):
        connection.autocommit(value)
        assert connection.get_autocommit() == value

    def begin(self, connection):
        connection.begin()

    def greeting(self, connection):
        return connection.get_server_info()

    def statements(self, connection, sql):
        results = []
        with connection.cursor() as cursor:
            cursor.execute(sql)
            while True:
                results.append(list(cursor.fetchall()) if cursor.description else cursor.rowcount)
                if not cursor.nextset():
                    return results

    def call(self, connection, name, arguments):
        results = []
        with connection.cursor() as cursor:
            cursor.callproc(name, arguments)
            while cursor.description:
                results.append(list(cursor.fetchall()))
                cursor.nextset()
            out = ", ".join(f"@_{name}_{index}" for index in range(len(arguments)))
            cursor.execute(f"SELECT {out}")
            return cursor.fetchone(), results

    def ping(self, connection, reconnect):
        if reconnect:
            connection.connect()
        connection.ping()

    def warning_count(self, cursor):
        return cursor.warning_count


main(PyMySQL())
