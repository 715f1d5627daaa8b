"""The cases of every Python program; see ../../spec.ts for the job. A driver supplies an adapter."""

import hashlib
import json
import traceback

from adapter import Skip
from session_cases import SessionCases
from values import JOB, big_data, check_types, fields_text, parameter, same


def main(adapter):
    program = Cases(adapter)
    for name in JOB["cases"]:
        line = {"case": name, "ok": True, "detail": ""}
        try:
            line["detail"] = getattr(program, name)()
        except Skip as reason:
            line["skip"] = str(reason)
        except Exception:  # pylint: disable=broad-except
            line.update(ok=False, detail=traceback.format_exc())
        print(json.dumps(line), flush=True)


class Cases(SessionCases):
    """The cases about statements, values and results."""

    def types_text(self):
        with self.open() as connection, connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute("DELETE FROM types")
            for sql in JOB["insertTypes"]:
                cursor.execute(sql)
                same(cursor.rowcount, 1, "inserted rows")
            cursor.execute("SELECT * FROM types ORDER BY id")
            check_types(cursor.fetchall())
            description = fields_text(cursor)
            # The same values again, put into the statement's text by the driver.
            cursor.execute("DELETE FROM types")
            self.insert_types(cursor)
            cursor.execute("SELECT * FROM types WHERE id > %s ORDER BY id", (0,))
            check_types(cursor.fetchall())
            connection.commit()
            return description

    def insert_types(self, cursor, text=frozenset()):
        marks = ", ".join("%s" for _ in JOB["columns"])
        for row in range(3):
            values = [
                parameter(
                    "string" if column["kind"] in text else column["kind"],
                    (column["values"] + [None])[row],
                )
                for column in JOB["columns"]
            ]
            cursor.execute(f"INSERT INTO types VALUES (%s, {marks})", (row + 1, *values))

    def types_prepared(self):
        with self.open() as connection:
            self.run(connection, "SET time_zone = '+00:00'")
            self.run(connection, "DELETE FROM types")
            with self.adapter.prepared_cursor(connection) as cursor:
                self.insert_types(cursor, self.adapter.text_parameters)
            with self.adapter.prepared_cursor(connection) as cursor:
                misread = self.adapter.misread
                names = [c["name"] for c in JOB["columns"] if c["kind"] not in misread]
                columns = ", ".join(["id", *names])
                cursor.execute(f"SELECT {columns} FROM types WHERE id > %s ORDER BY id", (0,))
                check_types(cursor.fetchall(), misread)
                connection.commit()
                return fields_text(cursor)

    def prepared_reuse(self):
        with self.open() as connection:
            if not self.adapter.prepares:
                return self.prepared_by_text(connection)
            seen = []
            with self.adapter.prepared_cursor(connection) as cursor:
                for values in [
                    (1, "x", "y"),
                    (None, None, None),
                    (2, "text", "z"),
                    (9007199254740993, "\u00e4", "\U0001F600"),
                ]:
                    cursor.execute("SELECT %s AS a, %s AS b, CONCAT(%s, '!') AS c", values)
                    seen.append(cursor.fetchall()[0])
            same([row[2] for row in seen], ["y!", None, "z!", "\U0001F600!"], "third column")
            same(int(seen[3][0]), 9007199254740993, "big number")

            def prepare_bad():
                with self.adapter.prepared_cursor(connection) as cursor:
                    cursor.execute("SELECT %s FROM missing_table", (1,))

            bad = self.failure(prepare_bad)
            same(bad[0], 1146, "code")
            return f"{json.dumps([list(map(str, row)) for row in seen])} {self.show(bad)}"

    def prepared_by_text(self, connection):
        self.run(connection, "PREPARE e2e FROM 'SELECT CONCAT(?, ''!'')'")
        seen = []
        for value in ["y", None, "\U0001F600"]:
            self.run(connection, "SET @value = %s", (value,))
            seen.append(self.scalar(connection, "EXECUTE e2e USING @value"))
        self.run(connection, "DEALLOCATE PREPARE e2e")
        same(seen, ["y!", None, "\U0001F600!"], "values")
        return str(self.failure(lambda: self.run(connection, "EXECUTE e2e USING @value"))[0])

    def wide(self):
        numbers = list(range(500))
        with self.open() as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT " + ", ".join(f"{n} AS column_{n}" for n in numbers))
                same(list(cursor.fetchone()), numbers, "text")
            if self.adapter.prepares:
                with self.adapter.prepared_cursor(connection) as cursor:
                    cursor.execute("SELECT " + ", ".join("%s" for _ in numbers), numbers)
                    same([int(value) for value in cursor.fetchall()[0]], numbers, "prepared")
        return "500 columns"

    def multi_statements(self):
        with self.open(autocommit=True) as connection:
            results = self.adapter.statements(
                connection,
                "SELECT 1 AS a; INSERT INTO multi VALUES (1), (2); SELECT 'x' AS b, NULL AS c; "
                "UPDATE multi SET id = id + 10; SELECT COUNT(*) AS n FROM multi WHERE id > 10",
            )
            same(results, [[(1,)], 2, [("x", None)], 2, [(2,)]], "results")
            bad = self.failure(
                lambda: self.adapter.statements(
                    connection, "SELECT 1; SELECT * FROM missing_table; SELECT 2"
                )
            )
            same(bad[0], 1146, "code")
            return self.show(bad)

    def procedures(self):
        with self.open() as connection:
            out, _ = self.adapter.call(connection, "p_out", (2, 40, None))
            same((int(out[1]), out[2]), (42, "got 2"), "OUT parameters")
            _, results = self.adapter.call(connection, "p_results", (5,))
            same(results, [[(5,)], [(6, "two"), (7, None)]], "results")

            def call_bad():
                self.adapter.call(connection, "p_error", (1,))

            bad = self.failure(call_bad)
            same(bad[0], 1644, self.show(bad))
            if self.adapter.has_state:
                same(bad[1], "45000", "state")
        return f"{out} {results} {self.show(bad)}"

    def streaming(self):
        with self.open() as connection, self.adapter.streaming_cursor(connection) as cursor:
            cursor.execute("SELECT id, note FROM stream")
            total = characters = 0
            for number, note in cursor:
                total += number
                characters += len(note)
            same((total, characters), (49_995_000, 990_000), "sums")
            return f"{total} {characters}"

    def batch(self):
        with self.open() as connection, connection.cursor() as cursor:
            rows = [(number, f"note {number}") for number in range(500)]
            sql = "INSERT INTO batch VALUES (%s, %s)"
            cursor.executemany(sql, rows)
            same(cursor.rowcount, 500, "rows")
            bad = self.failure(lambda: cursor.executemany(sql, [(1000, "n"), (1, "duplicate")]))
            same(bad[0], 1062, "code")
            connection.commit()
            return self.show(bad)

    def big_values(self):
        data = big_data(JOB["bigBytes"])
        small = data[: JOB["bigTextBytes"]]
        details = []
        with self.open() as connection:
            self.run(connection, "INSERT INTO big VALUES (1, %s)", (small,))
            parts = {1: small}
            if self.adapter.prepares:
                with self.adapter.prepared_cursor(connection) as cursor:
                    cursor.execute("INSERT INTO big VALUES (%s, %s)", (2, data))
                parts[2] = data
            connection.commit()
            for number, part in parts.items():
                checksum = hashlib.sha256(part).hexdigest()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT data, SHA2(data, 256) FROM big WHERE id = %s", (number,))
                    column, stored = cursor.fetchone()
                same(stored, checksum, "checksum on the server")
                assert column == part, "text column differs"
                if self.adapter.prepares and (self.adapter.reads_big_rows or len(part) < 1 << 24):
                    with self.adapter.prepared_cursor(connection) as cursor:
                        cursor.execute("SELECT data FROM big WHERE id = %s", (number,))
                        assert cursor.fetchall()[0][0] == part, "binary column differs"
                details.append(f"{len(part)} {checksum}")
        return ", ".join(details)

    def load_data_local(self):
        with self.open() as connection:
            sql = "LOAD DATA LOCAL INFILE '{}' INTO TABLE loaded CHARACTER SET utf8mb4"
            same(self.run(connection, sql.format(JOB["localFile"])), 5000, "rows")
            same(self.run(connection, sql.format(JOB["emptyFile"])), 0, "rows of an empty file")
            connection.commit()
            note = self.scalar(connection, "SELECT note FROM loaded WHERE id = 4999")
            same(note, "note 4999 \U0001F600", "note")
            return "5000 and 0 rows"

    def errors(self):
        seen = []
        with self.open() as connection:
            for code, state, sql in [
                (1062, "23000", "INSERT INTO errors VALUES (1, 1)"),
                (1064, "42000", "SELEC 1"),
                (1146, "42S02", "SELECT * FROM missing_table"),
                (1054, "42S22", "SELECT missing_column FROM errors"),
                (1048, "23000", "INSERT INTO errors VALUES (2, NULL)"),
                (1264, "22003", "INSERT INTO errors VALUES (3, 1000)"),
            ]:
                error = self.failure(lambda sql=sql: self.run(connection, sql))
                same(error[0], code, self.show(error))
                if self.adapter.has_state:
                    same(error[1], state, self.show(error))
                seen.append(self.show(error))
                same(self.scalar(connection, "SELECT 5"), 5, "next statement")
        return "; ".join(seen)

    def insert_id(self):
        seen = []
        with self.open() as connection, connection.cursor() as cursor:
            for sql in [
                "INSERT INTO auto (note) VALUES ('one')",
                "INSERT INTO auto (note) VALUES ('two'), ('three'), ('four')",
                "INSERT INTO auto VALUES (9007199254740993, 'big')",
                "INSERT INTO auto (note) VALUES ('after big')",
                "UPDATE auto SET note = 'same' WHERE id <= 3",
                "UPDATE auto SET note = 'same' WHERE id <= 4",
                "DELETE FROM auto WHERE id < 3",
            ]:
                cursor.execute(sql)
                seen.append((cursor.rowcount, cursor.lastrowid))
            connection.commit()
        same([count for count, _ in seen[:4]], [1, 3, 1, 1], "inserted rows")
        same((seen[0][1], seen[1][1], seen[3][1]), (1, 2, 9007199254740994), "ids")
        same(seen[6][0], 2, "deleted rows")
        return str(seen)

    def warnings(self):
        seen = []
        with self.open() as connection, connection.cursor() as cursor:
            for code, sql in [
                (1051, "DROP TABLE IF EXISTS missing_table"),
                (1292, "SELECT CAST('abc' AS SIGNED)"),
            ]:
                cursor.execute(sql)
                if cursor.description:
                    cursor.fetchall()
                count = self.adapter.warning_count(cursor)
                assert count in (None, 1), f"{count} warnings"
                cursor.execute("SHOW WARNINGS")
                rows = cursor.fetchall()
                same([row[1] for row in rows], [code], "warnings")
                seen += [*rows[0], count]
        return str(seen)

    def many_statements(self):
        total = 0
        with self.open() as connection:
            for number in range(1000):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT %s, REPEAT('x', %s)", (number, number % 50))
                    value, text = cursor.fetchone()
                same(len(text), number % 50, "length")
                total += value
            if self.adapter.prepares:
                with self.adapter.prepared_cursor(connection) as cursor:
                    for number in range(300):
                        cursor.execute("SELECT %s + 1", (number,))
                        total += int(cursor.fetchall()[0][0])
        same(total, 499_500 + (45_150 if self.adapter.prepares else 0), "sum")
        return str(total)
