package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
)

// Cases about connections and sessions.
var sessionCases = map[string]func() string{
	"connect": one(func(c *sql.Conn) string {
		var version, database, user, collation string
		check(c.QueryRowContext(background,
			"SELECT VERSION(), DATABASE(), USER(), @@collation_connection",
		).Scan(&version, &database, &user, &collation))
		if !strings.Contains(version, job.Version) {
			panic(version)
		}
		same(database, job.Database, "database")
		same(strings.Split(user, "@")[0], job.User, "user")
		return version + " " + collation
	}),

	"charset": one(func(c *sql.Conn) string {
		note := "\u00e4\u20ac\U0001F600"
		run(c, "INSERT INTO charset VALUES (1, ?)", note)
		var back, stored string
		var length int
		check(c.QueryRowContext(background, "SELECT note, HEX(note), CHAR_LENGTH(note) FROM charset").
			Scan(&back, &stored, &length))
		same(back, note, "note")
		same(strings.ToLower(stored), hex.EncodeToString([]byte(note)), "stored bytes")
		same(length, 3, "length")
		// The driver sends and gives bytes as they are.
		raw, err := hex.DecodeString(job.OtherCharset.Hex)
		check(err)
		return one(func(c *sql.Conn) string {
			var sent, got string
			check(c.QueryRowContext(background, "SELECT HEX('"+string(raw)+"'), '"+string(raw)+"'").
				Scan(&sent, &got))
			same(sent, job.OtherCharset.Hex, "sent bytes")
			same(got, string(raw), "got bytes")
			return scalar[string](c, "SELECT @@character_set_client")
		}, func(c *mysql.Config) { check(c.Apply(mysql.Charset(job.OtherCharset.Name, ""))) })()
	}),

	"transactions": func() string {
		db := open()
		defer db.Close()
		counts := []int{}
		count := func() {
			var n int
			check(db.QueryRow("SELECT COUNT(*) FROM tx").Scan(&n))
			counts = append(counts, n)
		}
		begin := func(statements ...string) *sql.Tx {
			tx, err := db.BeginTx(background, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
			check(err)
			for _, statement := range statements {
				_, err = tx.Exec(statement)
				check(err)
			}
			return tx
		}
		tx := begin("INSERT INTO tx VALUES (1, 'commit')")
		count()
		check(tx.Commit())
		count()
		check(begin("INSERT INTO tx VALUES (2, 'rollback')").Rollback())
		count()
		c, err := db.Conn(background)
		check(err)
		run(c, "SET autocommit = 0")
		run(c, "INSERT INTO tx VALUES (3, 'rollback')")
		count()
		run(c, "ROLLBACK")
		run(c, "INSERT INTO tx VALUES (4, 'commit')")
		run(c, "COMMIT")
		run(c, "SET autocommit = 1")
		check(c.Close())
		count()
		check(begin("INSERT INTO tx VALUES (5, 'kept')", "SAVEPOINT here",
			"INSERT INTO tx VALUES (6, 'undone')", "ROLLBACK TO SAVEPOINT here").Commit())
		count()
		same(counts, []int{0, 1, 1, 1, 2, 3}, "counts")
		return fmt.Sprint(counts)
	},

	"session_state": one(func(c *sql.Conn) string {
		run(c, "SET @e2e = ?, SESSION group_concat_max_len = 12345", "kept")
		run(c, "USE "+job.OtherDatabase)
		var variable, database string
		var length int
		check(c.QueryRowContext(background, "SELECT @e2e, @@group_concat_max_len, DATABASE()").
			Scan(&variable, &length, &database))
		same(variable, "kept", "user variable")
		same(length, 12345, "session variable")
		same(database, job.OtherDatabase, "database")
		lock := job.Database + "_lock"
		same(scalar[int](c, "SELECT GET_LOCK(?, 0)", lock), 1, "lock")
		same(scalar[int](c, "SELECT RELEASE_LOCK(?)", lock), 1, "release")
		return fmt.Sprint(variable, length, database)
	}),

	"ping": one(func(c *sql.Conn) string {
		check(c.PingContext(background))
		same(scalar[int](c, "SELECT 1"), 1, "value")
		check(c.PingContext(background))
		return "2 pings"
	}),

	"reset_connection": func() string { panic(skip("the driver has no reset of a connection")) },

	"change_user": func() string { panic(skip("the driver has no change of user")) },

	"reconnect": func() string {
		db := open()
		defer db.Close()
		db.SetMaxOpenConns(1)
		lost, err := db.Conn(background)
		check(err)
		id := scalar[int64](lost, "SELECT CONNECTION_ID()")
		one(func(c *sql.Conn) string {
			run(c, fmt.Sprint("KILL ", id))
			return ""
		})()
		for err == nil {
			_, err = lost.ExecContext(background, "DO 1")
		}
		lost.Close()
		// The pool knows that its connection is dead and opens another one.
		var value int
		check(db.QueryRow("SELECT 3").Scan(&value))
		same(value, 3, "value")
		return "new connection works"
	},

	"parallel": func() string {
		db := open()
		defer db.Close()
		db.SetMaxOpenConns(8)
		var group sync.WaitGroup
		failures := make(chan string, 320)
		for i := 0; i < 320; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				var value int
				err := db.QueryRowContext(context.Background(), "SELECT ? * 2", i).Scan(&value)
				if err != nil || value != i*2 {
					failures <- fmt.Sprint(i, value, err)
				}
			}()
		}
		group.Wait()
		close(failures)
		for text := range failures {
			panic(text)
		}
		return "320 statements"
	},

	"accounts": func() string {
		seen := []string{}
		for _, a := range job.Accounts {
			name := one(func(c *sql.Conn) string { return scalar[string](c, "SELECT CURRENT_USER()") },
				func(c *mysql.Config) { c.User, c.Passwd = a.User, a.Password })()
			same(name, a.CurrentUser, "user")
			seen = append(seen, name)
		}
		return strings.Join(seen, ",")
	},

	"wrong_password": func() string {
		for _, change := range []func(*mysql.Config){
			func(c *mysql.Config) { c.Passwd = "wrong" },
			func(c *mysql.Config) { c.Passwd = "" },
			func(c *mysql.Config) { c.User = "nobody_like_this" },
		} {
			db := open(change)
			bad := failure(db.Ping())
			same(bad.Number, uint16(1045), show(bad))
			check(db.Close())
		}
		return "1045 three times"
	},

	"unknown_database": func() string {
		db := open(func(c *mysql.Config) { c.DBName = "no_such_database" })
		defer db.Close()
		bad := failure(db.Ping())
		same(bad.Number, uint16(1049), show(bad))
		return show(bad)
	},
}
