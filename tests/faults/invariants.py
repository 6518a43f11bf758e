"""I1 to I4, read off the tables by plain SQL: nothing of the product helps to judge it.

I1 no assertion without every step of its policy, by one user; I2 nothing is spent twice;
I3 no assertion without its audit record; I4 one login, one assertion at most.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Any, Final

import psycopg

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]

_TABLES: Final = ("attempts", "approvals", "verified_passwords", "receipts", "audit")


def tables_of(url: str) -> Tables:
    """Return every row of the login's tables in the database at *url*."""
    if url.startswith("sqlite:///"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(url)
    with closing(connection):
        cursor = connection.cursor()
        return {name: _rows(cursor, name) for name in _TABLES}


def _rows(cursor: Any, table: str) -> Rows:
    cursor.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def breaches(tables: Tables) -> list[str]:
    """Return which promise each wrong row breaks; empty when every one is kept."""
    found = [breach for receipt in tables["receipts"] for breach in _of_receipt(tables, receipt)]
    found += _spent_twice(tables)
    receipts = [row["assertion_id"] for row in tables["receipts"]]
    issued = [_details(row)["assertion"] for row in _events(tables, "assertion_issued")]
    found += [f"I3 {one}: recorded {issued.count(one)} times" for one in _uneven(receipts, issued)]
    earned = {row["attempt_id"] for row in tables["receipts"]}
    done = {row["attempt_id"] for row in tables["attempts"] if row["state"] == "done"}
    found += [f"I4 {one}: done and receipt do not agree" for one in earned ^ done]
    spent = {row["approval_id"] for row in tables["approvals"] if row["state"] == "spent"}
    used = {row["approval"] for row in tables["receipts"]}
    found += [f"I2 {one}: spent and receipt do not agree" for one in spent ^ used]
    return found


def _of_receipt(tables: Tables, receipt: dict[str, Any]) -> list[str]:
    """I1: each step was done, in order, by the receipt's user, for the receipt's login."""
    name = receipt["assertion_id"]
    attempt = _one(tables["attempts"], attempt_id=receipt["attempt_id"])
    approval = _one(tables["approvals"], approval_id=receipt["approval"])
    if attempt is None or approval is None:
        return [f"I1 {name}: no login or no approval"]
    owner = {"attempt_id": receipt["attempt_id"], "user_id": receipt["user_id"]}
    found = []
    if not _fits(approval, owner) or approval["device_id"] is None or not approval["answer"]:
        found.append(f"I1 {name}: the approval is not this login's and user's")
    if not _in_trail(tables, "approval_granted", receipt, approval=receipt["approval"]):
        found.append(f"I1 {name}: nobody granted the approval")
    if "password" in attempt["steps"]:
        password = _one(tables["verified_passwords"], evidence_id=receipt["password"])
        if password is None or not _fits(password, owner):
            found.append(f"I1 {name}: no password of this login and user")
        elif not password["verified_at"] <= approval["created_at"]:
            found.append(f"I1 {name}: the approval was asked before the password")
        elif not _in_trail(tables, "password_accepted", receipt):
            found.append(f"I1 {name}: the password is not in the trail")
    if not approval["created_at"] <= (approval["decided_at"] or -1) <= receipt["issued_at"]:
        found.append(f"I1 {name}: the approval came out of turn")
    return found


def _spent_twice(tables: Tables) -> list[str]:
    receipts = tables["receipts"]
    kinds = {
        "I4 login": [row["attempt_id"] for row in receipts],
        "I2 approval": [row["approval"] for row in receipts],
        "I2 password": [row["password"] for row in receipts if row["password"]],
        "I2 request": [(row["provider"], row["request_id"]) for row in receipts],
    }
    return [
        f"{kind} {one}: {count} assertions"
        for kind, ones in kinds.items()
        for one, count in Counter(ones).items()
        if count > 1
    ]


def _uneven(first: Iterable[str], second: Iterable[str]) -> set[str]:
    one, other = Counter(first), Counter(second)
    return {name for name in one | other if one[name] != other[name]}


def _events(tables: Tables, event: str) -> Rows:
    return [row for row in tables["audit"] if row["event"] == event]


def _in_trail(tables: Tables, event: str, receipt: dict[str, Any], **details: str) -> bool:
    return any(
        row["attempt"] == receipt["attempt_id"]
        and row["subject"] == receipt["user_id"]
        and details.items() <= _details(row).items()
        for row in _events(tables, event)
    )


def _details(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["details"])
    return found


def _one(rows: Rows, **values: str | None) -> dict[str, Any] | None:
    return next((row for row in rows if _fits(row, values)), None)


def _fits(row: dict[str, Any], values: dict[str, Any]) -> bool:
    return values.items() <= row.items()
