"""The proxy's own account by PyMySQL or mysql-connector-python: the job's path, then "pymysql", "c"
or "pure". See ../../own_account.ts for the cases."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    JOB = json.load(file)
ACCOUNT = {key: JOB[key] for key in ("host", "port", "user", "password")}
DRIVER = sys.argv[2]

if DRIVER == "pymysql":
    import pymysql

    CONNECTION = pymysql.connect(ssl_disabled=True, **ACCOUNT)
else:
    import mysql.connector

    CONNECTION = mysql.connector.connect(use_pure=DRIVER == "pure", ssl_disabled=True, **ACCOUNT)


def query(sql, **options):
    with CONNECTION.cursor(**options) as cursor:
        cursor.execute(sql)
        if cursor.description is None:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


def own_row(rows):
    own_id = query("SELECT CONNECTION_ID() AS id")[0]["id"]
    return ",".join(f"{row['User']}@{row['Tenant']}" for row in rows if row["Id"] == own_id)


def refusal():
    try:
        query("KILL 2147483000")
    except Exception as error:
        return str(error.args[0])


def transaction():
    CONNECTION.begin() if DRIVER == "pymysql" else CONNECTION.start_transaction()
    one = query("SELECT 1 AS one")[0]["one"]
    CONNECTION.commit()
    return str(one)


def ping():
    CONNECTION.ping()
    return ""


CASES = {
    "own session": lambda: own_row(query("SHOW PROXYSESSION")),
    "own session, prepared": lambda: own_row(query("SHOW PROXYSESSION", prepared=True)),
    "parameter": lambda: query("SHOW PROXYCONFIG LIKE 'client_max_connections'")[0]["value"],
    "refusal": refusal,
    "transaction": transaction,
    "ping": ping,
}

for name in JOB["cases"]:
    line = {"case": name, "ok": True, "detail": ""}
    if DRIVER == "pymysql" and "prepared" in name:
        line["skip"] = "the driver prepares no statements"
    else:
        try:
            line["detail"] = CASES[name]()
        except Exception as error:
            line |= {"ok": False, "detail": repr(error)}
    print(json.dumps(line), flush=True)
CONNECTION.close()
