// Package main runs go-sql-driver/mysql against one server; see ../../spec.ts for the job and the
// cases.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

type account struct{ User, Password, CurrentUser string }

type column struct {
	Name, Kind string
	Values     []string
}

type jobSpec struct {
	Host, User, Password, Database, OtherDatabase string
	Port                                          int
	Engine, Version                               string
	Accounts                                      []account
	BigBytes, BigTextBytes                        int
	OtherCharset                                  struct{ Name, Text, Hex string }
	LocalFile, EmptyFile                          string
	InsertTypes                                   []string
	Columns                                       []column
	Cases                                         []string
}

var job jobSpec

// Cases throw one of these: the driver has no such thing.
type skip string

func main() {
	if len(os.Args) > 2 && os.Args[2] == "own" {
		ownAccount(os.Args[1])
		return
	}
	text, err := os.ReadFile(os.Args[1])
	check(err)
	check(json.Unmarshal(text, &job))
	mysql.SetLogger(discard{})
	for _, name := range job.Cases {
		line := runCase(name)
		out, err := json.Marshal(line)
		check(err)
		fmt.Println(string(out))
	}
}

type discard struct{}

func (discard) Print(...any) {}

type result struct {
	Case   string `json:"case"`
	Ok     bool   `json:"ok"`
	Detail string `json:"detail"`
	Skip   string `json:"skip,omitempty"`
}

func runCase(name string) (line result) {
	line = result{Case: name, Ok: true}
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case skip:
			line.Skip = string(reason)
		default:
			line.Ok = false
			line.Detail = fmt.Sprint(reason)
		}
	}()
	body, found := sessionCases[name]
	if !found {
		body, found = statementCases[name]
	}
	if !found {
		panic("not part of the program")
	}
	line.Detail = body()
	return line
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func same(got, wanted any, what string) {
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Sprintf("%s: wanted %.300v, got %.300v", what, wanted, got))
	}
}

func config() *mysql.Config {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.DBName = job.User, job.Password, job.Database
	c.Net, c.Addr = "tcp", fmt.Sprintf("%s:%d", job.Host, job.Port)
	c.ParseTime, c.Loc = true, time.UTC
	c.MaxAllowedPacket = 0
	c.Timeout = 10 * time.Second
	check(c.Apply(mysql.Charset("utf8mb4", "")))
	return c
}

// open gives a pool; every case closes its own.
func open(change ...func(*mysql.Config)) *sql.DB {
	c := config()
	for _, apply := range change {
		apply(c)
	}
	connector, err := mysql.NewConnector(c)
	check(err)
	return sql.OpenDB(connector)
}

// one runs a case with a single connection.
func one(body func(*sql.Conn) string, change ...func(*mysql.Config)) func() string {
	return func() string {
		db := open(change...)
		defer db.Close()
		conn, err := db.Conn(context.Background())
		check(err)
		defer conn.Close()
		return body(conn)
	}
}

var background = context.Background()

func run(c *sql.Conn, query string, args ...any) sql.Result {
	r, err := c.ExecContext(background, query, args...)
	check(err)
	return r
}

func affected(r sql.Result) int64 {
	n, err := r.RowsAffected()
	check(err)
	return n
}

func scalar[T any](c *sql.Conn, query string, args ...any) T {
	var value T
	check(c.QueryRowContext(background, query, args...).Scan(&value))
	return value
}

func failure(err error) *mysql.MySQLError {
	var failed *mysql.MySQLError
	if !errors.As(err, &failed) {
		panic(fmt.Sprintf("not a server's error: %v", err))
	}
	return failed
}

func show(failed *mysql.MySQLError) string {
	return fmt.Sprintf("%d %s %s", failed.Number, failed.SQLState[:], failed.Message)
}

// canonical text of a value as scanned into `any`.
func canonical(kind string, value any) any {
	switch kind {
	case "bit":
		number := uint64(0)
		for _, b := range value.([]byte) {
			number = number<<8 | uint64(b)
		}
		return fmt.Sprint(number)
	case "bytes":
		return hex.EncodeToString(value.([]byte))
	case "date":
		return value.(time.Time).Format("2006-01-02")
	case "datetime":
		return value.(time.Time).Format("2006-01-02 15:04:05.000000")
	}
	text := fmt.Sprint(value)
	if data, isBytes := value.([]byte); isBytes {
		text = string(data)
	}
	switch kind {
	case "time":
		whole, fraction, _ := strings.Cut(text, ".")
		return whole + "." + (fraction + "000000")[:6]
	case "float", "double", "json":
		return parsed(text)
	}
	return text
}

func parsed(text string) any {
	var value any
	check(json.Unmarshal([]byte(text), &value))
	return value
}

func wanted(kind, text string) any {
	switch kind {
	case "float", "double", "json":
		return parsed(text)
	}
	return text
}

// parameter is the native value that a parameter of this kind is given as.
func parameter(kind, text string) any {
	switch kind {
	case "int":
		return number[int64](text)
	case "uint":
		return number[uint64](text)
	case "bit", "year":
		return number[int](text)
	case "float", "double":
		return number[float64](text)
	case "bytes":
		data, err := hex.DecodeString(text)
		check(err)
		return data
	case "date":
		return moment("2006-01-02", text)
	case "datetime":
		return moment("2006-01-02 15:04:05.000000", text)
	case "json":
		return json.RawMessage(text)
	}
	return text
}

func number[T any](text string) T {
	var value T
	check(json.Unmarshal([]byte(text), &value))
	return value
}

func moment(layout, text string) time.Time {
	value, err := time.Parse(layout, text)
	check(err)
	return value
}

// checkTypes compares the rows of SELECT * FROM types and describes the columns.
func checkTypes(rows *sql.Rows) string {
	defer rows.Close()
	types, err := rows.ColumnTypes()
	check(err)
	count := 0
	for ; rows.Next(); count++ {
		values := make([]any, len(types))
		pointers := make([]any, len(types))
		for i := range values {
			pointers[i] = &values[i]
		}
		check(rows.Scan(pointers...))
		for i, column := range job.Columns {
			what := fmt.Sprintf("row %d, column %s", count+1, column.Name)
			if count == 2 {
				same(values[i+1], nil, what)
				continue
			}
			text := column.Values[count]
			same(canonical(column.Kind, values[i+1]), wanted(column.Kind, text), what)
		}
	}
	check(rows.Err())
	same(count, 3, "rows")
	detail := make([]string, len(types))
	for i, t := range types {
		length, _ := t.Length()
		precision, scale, _ := t.DecimalSize()
		nullable, _ := t.Nullable()
		detail[i] = fmt.Sprint(t.Name(), ":", t.DatabaseTypeName(), ":", length, ":", precision, ":",
			scale, ":", nullable)
	}
	return strings.Join(detail, " ")
}

// insertTypes puts the three rows in with parameters.
func insertTypes(c *sql.Conn) {
	statement := "INSERT INTO types VALUES (?" + strings.Repeat(", ?", len(job.Columns)) + ")"
	for row := 0; row < 3; row++ {
		args := []any{row + 1}
		for _, column := range job.Columns {
			if row == 2 {
				args = append(args, nil)
			} else {
				args = append(args, parameter(column.Kind, column.Values[row]))
			}
		}
		same(affected(run(c, statement, args...)), int64(1), "inserted rows")
	}
}

func bigData(length int) []byte {
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(i*31 + (i>>8)*17 + (i>>16)*7)
	}
	return data
}

func equal(got, wanted []byte, what string) {
	if !bytes.Equal(got, wanted) {
		panic(what + " differs")
	}
}
