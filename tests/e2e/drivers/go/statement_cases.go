package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

func inText(c *mysql.Config)    { c.InterpolateParams = true }
func multi(c *mysql.Config)     { c.MultiStatements = true }
func foundRows(c *mysql.Config) { c.ClientFoundRows = true }

// Cases about statements, values and results.
var statementCases = map[string]func() string{
	"types_text": one(func(c *sql.Conn) string {
		run(c, "SET time_zone = '+00:00'")
		run(c, "DELETE FROM types")
		for _, statement := range job.InsertTypes {
			same(affected(run(c, statement)), int64(1), "inserted rows")
		}
		rows, err := c.QueryContext(background, "SELECT * FROM types ORDER BY id")
		check(err)
		detail := checkTypes(rows)
		// The same values again, put into the statement's text by the driver.
		run(c, "DELETE FROM types")
		insertTypes(c)
		rows, err = c.QueryContext(background, "SELECT * FROM types WHERE id > ? ORDER BY id", 0)
		check(err)
		checkTypes(rows)
		return detail
	}, inText),

	"types_prepared": one(func(c *sql.Conn) string {
		run(c, "SET time_zone = '+00:00'")
		run(c, "DELETE FROM types")
		insertTypes(c)
		rows, err := c.QueryContext(background, "SELECT * FROM types WHERE id > ? ORDER BY id", 0)
		check(err)
		return checkTypes(rows)
	}),

	"prepared_reuse": one(func(c *sql.Conn) string {
		statement, err := c.PrepareContext(background, "SELECT ? AS a, ? AS b, CONCAT(?, '!') AS c")
		check(err)
		defer statement.Close()
		seen := []string{}
		for _, args := range [][]any{
			{1, "x", "y"}, {nil, nil, nil}, {"text", 1.5, []byte("z")},
			{int64(9007199254740993), true, "\U0001F600"},
		} {
			var a, b, joined sql.NullString
			check(statement.QueryRow(args...).Scan(&a, &b, &joined))
			same(joined.Valid, args[2] != nil, "third column")
			seen = append(seen, a.String, b.String, joined.String)
		}
		same([]string{seen[0], seen[2], seen[8], seen[9], seen[11]},
			[]string{"1", "y!", "z!", "9007199254740993", "\U0001F600!"}, "values")
		_, err = c.PrepareContext(background, "SELECT ? FROM missing_table")
		bad := failure(err)
		same(bad.Number, uint16(1146), "code")
		return strings.Join(seen, ",") + " " + show(bad)
	}),

	"wide": one(func(c *sql.Conn) string {
		text, marks := make([]string, 500), make([]string, 500)
		args, values, pointers := make([]any, 500), make([]int, 500), make([]any, 500)
		for i := range text {
			text[i], marks[i] = fmt.Sprintf("%d AS column_%d", i, i), fmt.Sprintf("? AS column_%d", i)
			args[i], pointers[i] = i, &values[i]
		}
		verify := func(row *sql.Row) {
			check(row.Scan(pointers...))
			for i, value := range values {
				same(value, i, "column")
				values[i] = -1
			}
		}
		verify(c.QueryRowContext(background, "SELECT "+strings.Join(text, ", ")))
		verify(c.QueryRowContext(background, "SELECT "+strings.Join(marks, ", "), args...))
		return "500 columns"
	}),

	"multi_statements": one(func(c *sql.Conn) string {
		rows, err := c.QueryContext(background,
			"SELECT 1 AS a; INSERT INTO multi VALUES (1), (2); SELECT 'x' AS b, NULL AS c; "+
				"UPDATE multi SET id = id + 10; SELECT COUNT(*) AS n FROM multi WHERE id > 10")
		check(err)
		seen := []string{}
		for more := true; more; more = rows.NextResultSet() {
			columns, err := rows.Columns()
			check(err)
			for rows.Next() {
				values, pointers := make([]sql.NullString, len(columns)), make([]any, len(columns))
				for i := range values {
					pointers[i] = &values[i]
				}
				check(rows.Scan(pointers...))
				for i, value := range values {
					seen = append(seen, fmt.Sprint(columns[i], "=", value.String, value.Valid))
				}
			}
		}
		check(rows.Err())
		same(seen, []string{"a=1true", "b=xtrue", "c=false", "n=2true"}, "results")
		r := run(c, "DELETE FROM multi WHERE id = 11; DELETE FROM multi")
		same(affected(r), int64(1), "rows of the last statement")
		rows, err = c.QueryContext(background, "SELECT 1; SELECT * FROM missing_table; SELECT 2")
		check(err)
		for rows.NextResultSet() {
			panic("got a result after the error")
		}
		bad := failure(rows.Err())
		same(bad.Number, uint16(1146), "code")
		same(scalar[int](c, "SELECT 7"), 7, "next statement")
		return fmt.Sprint(seen, show(bad))
	}, multi),

	"procedures": one(func(c *sql.Conn) string {
		run(c, "SET @b = 40")
		run(c, "CALL p_out(2, @b, @c)")
		var b int
		var text string
		check(c.QueryRowContext(background, "SELECT @b, @c").Scan(&b, &text))
		same(b, 42, "INOUT parameter")
		same(text, "got 2", "OUT parameter")
		for _, args := range [][]any{{}, {5}} {
			query := "CALL p_results(5)"
			if len(args) == 1 {
				query = "CALL p_results(?)"
			}
			rows, err := c.QueryContext(background, query, args...)
			check(err)
			seen := []string{}
			for rows.Next() {
				var n string
				check(rows.Scan(&n))
				seen = append(seen, n)
			}
			if !rows.NextResultSet() {
				panic("no second result")
			}
			for rows.Next() {
				var n string
				var t sql.NullString
				check(rows.Scan(&n, &t))
				seen = append(seen, n, t.String)
			}
			check(rows.Close())
			same(seen, []string{"5", "6", "two", "7", ""}, "results")
		}
		rows, err := c.QueryContext(background, "CALL p_error(1)")
		check(err)
		for rows.NextResultSet() {
			panic("got a result after the error")
		}
		bad := failure(rows.Err())
		same(bad.Number, uint16(1644), "code")
		same(string(bad.SQLState[:]), "45000", "state")
		return show(bad)
	}),

	"streaming": one(func(c *sql.Conn) string {
		rows, err := c.QueryContext(background, "SELECT id, note FROM stream")
		check(err)
		total, characters := 0, 0
		for rows.Next() {
			var id int
			var note string
			check(rows.Scan(&id, &note))
			total += id
			characters += len(note)
		}
		check(rows.Err())
		same([]int{total, characters}, []int{49995000, 990000}, "sums")
		// A result that is left in the middle: the driver reads on or closes the connection.
		rows, err = c.QueryContext(background, "SELECT id FROM stream WHERE id >= ?", 0)
		check(err)
		rows.Next()
		check(rows.Close())
		same(scalar[int](c, "SELECT 5"), 5, "next statement")
		return fmt.Sprint(total, " ", characters)
	}),

	"batch": one(func(c *sql.Conn) string {
		marks := make([]string, 500)
		args := []any{}
		for i := range marks {
			marks[i] = "(?, ?)"
			args = append(args, i, fmt.Sprint("note ", i))
		}
		r := run(c, "INSERT INTO batch VALUES "+strings.Join(marks, ", "), args...)
		same(affected(r), int64(500), "rows")
		_, err := c.ExecContext(background, "INSERT INTO batch VALUES (?, ?), (?, ?)", 1000, "n", 1, "d")
		bad := failure(err)
		same(bad.Number, uint16(1062), "code")
		return show(bad)
	}),

	"big_values": func() string {
		data := bigData(job.BigBytes)
		small := data[:job.BigTextBytes]
		insert := func(id int, part []byte, change ...func(*mysql.Config)) {
			one(func(c *sql.Conn) string {
				run(c, "INSERT INTO big VALUES (?, ?)", id, part)
				return ""
			}, change...)()
		}
		insert(1, data)
		insert(2, small, inText)
		return one(func(c *sql.Conn) string {
			details := []string{}
			for id, part := range [][]byte{1: data, 2: small} {
				if id == 0 {
					continue
				}
				sum := sha256.Sum256(part)
				var stored string
				var column []byte
				check(c.QueryRowContext(background, "SELECT SHA2(data, 256), data FROM big WHERE id = ?", id).
					Scan(&stored, &column))
				same(stored, hex.EncodeToString(sum[:]), "checksum on the server")
				equal(column, part, "binary column")
				query := fmt.Sprint("SELECT data FROM big WHERE id = ", id)
				equal(scalar[[]byte](c, query), part, "text column")
				details = append(details, fmt.Sprint(len(part), " ", stored))
			}
			return strings.Join(details, ", ")
		})()
	},

	"load_data_local": one(func(c *sql.Conn) string {
		load := func(file string) int64 {
			mysql.RegisterLocalFile(file)
			return affected(run(c, "LOAD DATA LOCAL INFILE '"+file+
				"' INTO TABLE loaded CHARACTER SET utf8mb4"))
		}
		same(load(job.LocalFile), int64(5000), "rows")
		same(load(job.EmptyFile), int64(0), "rows of an empty file")
		note := scalar[string](c, "SELECT note FROM loaded WHERE id = 4999")
		same(note, "note 4999 \U0001F600", "note")
		_, err := c.ExecContext(background,
			"LOAD DATA LOCAL INFILE '/not/registered' INTO TABLE loaded")
		if err == nil {
			panic("a file that is not registered was sent")
		}
		same(scalar[int](c, "SELECT COUNT(*) FROM loaded"), 5000, "rows in the table")
		return "5000 and 0 rows"
	}),

	"errors": one(func(c *sql.Conn) string {
		seen := []string{}
		for _, wanted := range []struct {
			code       uint16
			state, sql string
		}{
			{1062, "23000", "INSERT INTO errors VALUES (1, 1)"},
			{1064, "42000", "SELEC 1"},
			{1146, "42S02", "SELECT * FROM missing_table"},
			{1054, "42S22", "SELECT missing_column FROM errors"},
			{1048, "23000", "INSERT INTO errors VALUES (2, NULL)"},
			{1264, "22003", "INSERT INTO errors VALUES (3, 1000)"},
		} {
			_, err := c.ExecContext(background, wanted.sql)
			bad := failure(err)
			same(bad.Number, wanted.code, "code")
			same(string(bad.SQLState[:]), wanted.state, "state")
			seen = append(seen, show(bad))
			same(scalar[int](c, "SELECT 5"), 5, "next statement")
		}
		_, err := c.ExecContext(background, "INSERT INTO errors VALUES (?, ?)", 1, 1)
		seen = append(seen, show(failure(err)))
		return strings.Join(seen, "; ")
	}),

	"insert_id": one(func(c *sql.Conn) string {
		seen := [][2]int64{}
		for _, statement := range []string{
			"INSERT INTO auto (note) VALUES ('one')",
			"INSERT INTO auto (note) VALUES ('two'), ('three'), ('four')",
			"INSERT INTO auto VALUES (9007199254740993, 'big')",
			"INSERT INTO auto (note) VALUES ('after big')",
			"UPDATE auto SET note = 'same' WHERE id <= 3",
			"UPDATE auto SET note = 'same' WHERE id <= 4",
			"DELETE FROM auto WHERE id < 3",
		} {
			r := run(c, statement)
			id, err := r.LastInsertId()
			check(err)
			seen = append(seen, [2]int64{affected(r), id})
		}
		same([]int64{seen[0][1], seen[1][1], seen[3][1]}, []int64{1, 2, 9007199254740994}, "ids")
		counts := []int64{}
		for _, pair := range seen {
			counts = append(counts, pair[0])
		}
		// The driver asks for changed rows, so the second update counts one.
		same(counts, []int64{1, 3, 1, 1, 3, 1, 2}, "affected rows")
		return one(func(c *sql.Conn) string {
			r := run(c, "UPDATE auto SET note = 'same' WHERE id <= 4")
			same(affected(r), int64(2), "found rows")
			return fmt.Sprint(seen, affected(r))
		}, foundRows)()
	}),

	"warnings": one(func(c *sql.Conn) string {
		seen := []string{}
		for _, wanted := range []struct {
			code int
			sql  string
		}{
			{1051, "DROP TABLE IF EXISTS missing_table"},
			{1292, "SELECT CAST('abc' AS SIGNED)"},
		} {
			rows, err := c.QueryContext(background, wanted.sql)
			check(err)
			for rows.Next() {
			}
			check(rows.Close())
			var level, message string
			var code int
			check(c.QueryRowContext(background, "SHOW WARNINGS").Scan(&level, &code, &message))
			same(code, wanted.code, "code")
			seen = append(seen, fmt.Sprint(level, " ", code, " ", message))
		}
		return strings.Join(seen, "; ")
	}),

	"many_statements": one(func(c *sql.Conn) string {
		total := 0
		for i := 0; i < 1000; i++ {
			var n int
			var text string
			check(c.QueryRowContext(background, fmt.Sprintf("SELECT %d, REPEAT('x', %d)", i, i%50)).
				Scan(&n, &text))
			same(len(text), i%50, "length")
			total += n
		}
		statement, err := c.PrepareContext(background, "SELECT ? + 1")
		check(err)
		for i := 0; i < 300; i++ {
			var n int
			check(statement.QueryRow(i).Scan(&n))
			total += n
		}
		check(statement.Close())
		for i := 0; i < 100; i++ {
			total += scalar[int](c, fmt.Sprintf("SELECT %d + ?", i), 0)
		}
		same(total, 499500+45150+4950, "sum")
		return fmt.Sprint(total)
	}),
}
