"""The cases about connections and sessions, and what all cases need."""

import threading

from adapter import Closing
from values import JOB, same


class SessionCases:
    """One method for every case; each opens connections of its own and returns the detail."""

    def __init__(self, adapter):
        self.adapter = adapter

    def open(self, **options):
        return Closing(self.adapter.connect(**options))

    def scalar(self, connection, sql, values=None):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone()[0]

    def run(self, connection, sql, values=None):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.rowcount

    def failure(self, body):
        try:
            body()
        except Exception as error:  # pylint: disable=broad-except
            return self.adapter.error(error)
        raise AssertionError("no error was thrown")

    def show(self, failure):
        return " ".join(str(part) for part in failure)

    def connect(self):
        with self.open() as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT VERSION(), DATABASE(), USER(), @@collation_connection")
                version, database, user, collation = cursor.fetchone()
            assert JOB["version"] in version, version
            same(database, JOB["database"], "database")
            same(user.split("@")[0], JOB["user"], "user")
            return f"version {version}, greeting {self.adapter.greeting(connection)}, {collation}"

    def charset(self):
        note = "\u00e4\u20ac\U0001F600"
        with self.open() as connection:
            self.run(connection, "INSERT INTO charset VALUES (1, %s)", (note,))
            connection.commit()
            with connection.cursor() as cursor:
                cursor.execute("SELECT note, HEX(note), CHAR_LENGTH(note) FROM charset")
                row = cursor.fetchone()
            same(row, (note, note.encode().hex().upper(), 3), "row")
        other = JOB["otherCharset"]
        with self.open(charset=other["name"]) as connection:
            same(self.scalar(connection, f"SELECT HEX('{other['text']}')"), other["hex"], "sent")
            same(self.scalar(connection, f"SELECT '{other['text']}'"), other["text"], "got")
            return self.scalar(connection, "SELECT @@character_set_client")

    def transactions(self):
        counts = []
        with self.open() as writer, self.open(autocommit=True) as reader:

            def count():
                counts.append(self.scalar(reader, "SELECT COUNT(*) FROM tx"))

            self.adapter.set_autocommit(writer, True)
            self.adapter.begin(writer)
            self.run(writer, "INSERT INTO tx VALUES (1, 'commit')")
            count()
            writer.commit()
            count()
            self.adapter.begin(writer)
            self.run(writer, "INSERT INTO tx VALUES (%s, %s)", (2, "rollback"))
            writer.rollback()
            count()
            self.adapter.set_autocommit(writer, False)
            self.run(writer, "INSERT INTO tx VALUES (3, 'rollback')")
            count()
            writer.rollback()
            self.run(writer, "INSERT INTO tx VALUES (4, 'commit')")
            writer.commit()
            self.adapter.set_autocommit(writer, True)
            count()
            self.run(writer, "START TRANSACTION")
            self.run(writer, "INSERT INTO tx VALUES (5, 'kept')")
            self.run(writer, "SAVEPOINT here")
            self.run(writer, "INSERT INTO tx VALUES (6, 'undone')")
            self.run(writer, "ROLLBACK TO SAVEPOINT here")
            self.run(writer, "COMMIT")
            count()
        same(counts, [0, 1, 1, 1, 2, 3], "counts")
        return str(counts)

    def session_state(self):
        with self.open() as connection:
            self.run(connection, "SET @e2e = %s, SESSION group_concat_max_len = 12345", ("kept",))
            self.run(connection, f"USE {JOB['otherDatabase']}")
            with connection.cursor() as cursor:
                cursor.execute("SELECT @e2e, @@group_concat_max_len, DATABASE()")
                row = cursor.fetchone()
            same(row, ("kept", 12345, JOB["otherDatabase"]), "state")
            lock = JOB["database"] + "_lock"
            same(self.scalar(connection, "SELECT GET_LOCK(%s, 0)", (lock,)), 1, "lock")
            same(self.scalar(connection, "SELECT RELEASE_LOCK(%s)", (lock,)), 1, "release")
            return str(row)

    def ping(self):
        with self.open() as connection:
            self.adapter.ping(connection, False)
            same(self.scalar(connection, "SELECT 1"), 1, "value")
            self.adapter.ping(connection, False)
        return "2 pings"

    def reset_connection(self):
        with self.open() as connection:
            self.run(connection, "SET @kept = 1")
            self.adapter.reset(connection)
            same(self.scalar(connection, "SELECT @kept"), None, "user variable")
        return "user variable is gone"

    def change_user(self):
        other = JOB["accounts"][0]
        with self.open() as connection:

            def who():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT CURRENT_USER(), DATABASE()")
                    return cursor.fetchone()

            self.run(connection, "SET @kept = 1")
            login = (other["user"], other["password"], JOB["otherDatabase"])
            self.adapter.change_user(connection, *login)
            same(who(), (other["currentUser"], JOB["otherDatabase"]), "other user")
            same(self.scalar(connection, "SELECT @kept"), None, "user variable")
            self.adapter.change_user(connection, JOB["user"], JOB["password"], JOB["database"])
            back = who()
            same(back[1], JOB["database"], "database")
            bad = self.failure(
                lambda: self.adapter.change_user(connection, JOB["user"], "wrong", "")
            )
            assert bad[0] in self.adapter.refused, self.show(bad)
        return f"{other['currentUser']} {back}"

    def reconnect(self):
        with self.open() as connection, self.open(autocommit=True) as killer:
            number = self.scalar(connection, "SELECT CONNECTION_ID()")
            self.run(killer, f"KILL {number}")

            def until_lost():
                while True:
                    self.scalar(connection, "SELECT 1")

            self.failure(until_lost)
            self.adapter.ping(connection, True)
            same(self.scalar(connection, "SELECT 3"), 3, "value")
        return "new connection works"

    def parallel(self):
        results = []

        def work(start):
            with self.open() as connection:
                for number in range(start, start + 40):
                    results.append(self.scalar(connection, "SELECT %s * 2", (number,)) // 2)

        threads = [threading.Thread(target=work, args=(n * 40,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same(sorted(results), list(range(320)), "results")
        return "320 statements"

    def accounts(self):
        seen = []
        for account in JOB["accounts"]:
            login = {"user": account["user"], "password": account["password"]}
            with self.open(**login) as connection:
                name = self.scalar(connection, "SELECT CURRENT_USER()")
            same(name, account["currentUser"], "user")
            seen.append(name)
        return ",".join(seen)

    def wrong_password(self):
        for login in [{"password": "wrong"}, {"password": ""}, {"user": "nobody_like_this"}]:
            error = self.failure(lambda login=login: self.adapter.connect(**login))
            assert error[0] in self.adapter.refused, self.show(error)
        return "refused three times"

    def unknown_database(self):
        error = self.failure(lambda: self.adapter.connect(database="no_such_database"))
        same(error[0], 1049, self.show(error))
        return self.show(error)
