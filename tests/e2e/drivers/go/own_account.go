package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

// ownAccount logs in as the proxy's own account; see ../../own_account.ts for the cases.
func ownAccount(path string) {
	text, err := os.ReadFile(path)
	check(err)
	check(json.Unmarshal(text, &job))
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net = job.User, job.Password, "tcp"
	config.Addr = fmt.Sprintf("%s:%d", job.Host, job.Port)
	db, err := sql.Open("mysql", config.FormatDSN())
	check(err)
	connection, err := db.Conn(context.Background())
	check(err)
	for _, name := range job.Cases {
		detail, err := ownCase(connection, name)
		line := map[string]any{"case": name, "ok": err == nil, "detail": detail}
		if err != nil {
			line["detail"] = err.Error()
		}
		out, err := json.Marshal(line)
		check(err)
		fmt.Println(string(out))
	}
	check(connection.Close())
	check(db.Close())
}

func ownCase(connection *sql.Conn, name string) (string, error) {
	background := context.Background()
	switch name {
	case "own session":
		rows, err := connection.QueryContext(background, "SHOW PROXYSESSION")
		if err != nil {
			return "", err
		}
		return ownRow(connection, rows)
	case "own session, prepared":
		statement, err := connection.PrepareContext(background, "SHOW PROXYSESSION")
		if err != nil {
			return "", err
		}
		defer statement.Close()
		rows, err := statement.QueryContext(background)
		if err != nil {
			return "", err
		}
		return ownRow(connection, rows)
	case "parameter":
		rows, err := connection.QueryContext(background, "SHOW PROXYCONFIG LIKE 'client_max_connections'")
		if err != nil {
			return "", err
		}
		found, err := byName(rows)
		if err != nil {
			return "", err
		}
		return found[0]["value"], nil
	case "refusal":
		_, err := connection.ExecContext(background, "KILL 2147483000")
		var refusal *mysql.MySQLError
		if !errors.As(err, &refusal) {
			return "", err
		}
		return strconv.Itoa(int(refusal.Number)), nil
	case "transaction":
		transaction, err := connection.BeginTx(background, nil)
		if err != nil {
			return "", err
		}
		var one string
		if err := transaction.QueryRow("SELECT 1 AS one").Scan(&one); err != nil {
			return "", err
		}
		return one, transaction.Commit()
	case "ping":
		return "", connection.PingContext(background)
	}
	return "", errors.New(name)
}

func ownRow(connection *sql.Conn, rows *sql.Rows) (string, error) {
	found, err := byName(rows)
	if err != nil {
		return "", err
	}
	var id string
	row := connection.QueryRowContext(context.Background(), "SELECT CONNECTION_ID() AS id")
	if err := row.Scan(&id); err != nil {
		return "", err
	}
	text := ""
	for _, values := range found {
		if values["Id"] == id {
			text += values["User"] + "@" + values["Tenant"]
		}
	}
	return text, nil
}

func byName(rows *sql.Rows) ([]map[string]string, error) {
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []map[string]string
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		places := make([]any, len(names))
		for index := range values {
			places[index] = &values[index]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		row := map[string]string{}
		for index, name := range names {
			row[name] = values[index].String
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
