"""Values of the job: how a driver's compare with them, and how parameters are given."""

import datetime
import decimal
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    JOB = json.load(file)


def same(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: wanted {wanted!r:.300}, got {got!r:.300}")


def canonical(kind, value):
    """`value` as the canonical text of its column's kind."""
    if value is None:
        return None
    if kind in ("float", "double"):
        return float(value)
    if kind == "bit":
        return str(value if isinstance(value, int) else int.from_bytes(value, "big"))
    if kind == "decimal":
        return format(value, "f")
    if kind == "bytes":
        if not isinstance(value, (bytes, bytearray)):
            raise AssertionError(f"wanted bytes, got {type(value)}")
        return bytes(value).hex()
    if kind == "time":
        return time_text(value)
    if kind == "datetime":
        return value.isoformat(" ", "microseconds")
    if kind == "json":
        return json.loads(value)
    if isinstance(value, set):
        return ",".join(sorted(value))
    return str(value)


def wanted(kind, text):
    if text is None:
        return None
    if kind in ("float", "double"):
        return float(text)
    return json.loads(text) if kind == "json" else text


def parameter(kind, text):
    """The native value that a parameter of this kind is given as."""
    if text is None:
        return None
    if kind in ("int", "uint", "bit", "year"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "decimal":
        return decimal.Decimal(text)
    if kind == "bytes":
        return bytes.fromhex(text)
    if kind == "date":
        return datetime.date.fromisoformat(text)
    if kind == "datetime":
        return datetime.datetime.fromisoformat(text)
    if kind == "time":
        sign = -1 if text.startswith("-") else 1
        hours, minutes, seconds = text.lstrip("-").split(":")
        whole, fraction = seconds.split(".")
        return sign * datetime.timedelta(
            hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=int(fraction)
        )
    return text


def time_text(value):
    sign = "-" if value < datetime.timedelta() else ""
    value = abs(value)
    hours, rest = divmod(value.days * 86400 + value.seconds, 3600)
    return f"{sign}{hours:02}:{rest // 60:02}:{rest % 60:02}.{value.microseconds:06}"


def check_types(rows, misread=frozenset()):
    same(len(rows), 3, "rows")
    for index, row in enumerate(rows):
        same(row[0], index + 1, "id")
        columns = [column for column in JOB["columns"] if column["kind"] not in misread]
        for at, column in enumerate(columns):
            kind = column["kind"]
            text = (column["values"] + [None])[index]
            same(
                canonical(kind, row[at + 1]),
                wanted(kind, text),
                f"row {index + 1}, column {column['name']}",
            )


def big_data(length):
    low = bytes((i * 31) & 255 for i in range(256))
    blocks = []
    for block in range((length + 255) // 256):
        shift = (block * 17 + (block >> 8) * 7) & 255
        blocks.append(bytes((value + shift) & 255 for value in low))
    return b"".join(blocks)[:length]


def fields_text(cursor):
    return " ".join(":".join(str(part) for part in column) for column in cursor.description)
