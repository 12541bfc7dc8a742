"""SQL as an application sends it, to MariaDB and MySQL."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

import pymysql
import pymysql.cursors

CONNECT_TIMEOUT_SECONDS = 10
CLIENT_ERRORS = range(2000, 3000)
PORT_MAX = 65535
Row = tuple[object, ...]


# What stands in a quoted text or in a comment ends no statement; one that is not closed goes to the end.
_PART = re.compile(
    r"""
      (?P<end> ; [ \t\r]* (?: \n | \Z ) )
    | (?P<comment> (?: \# | -- (?= \s | \Z ) ) [^\n]* | / \* (?! ! ) .*? (?: \* / | \Z ) | \s+ )
    | ' (?: [^'\\] | \\ . )* (?: ' | \Z )
    | " (?: [^"\\] | \\ . )* (?: " | \Z )
    | ` [^`]* (?: ` | \Z )
    | / \* .*? (?: \* / | \Z )
    | [^;\#/'"`\s-]+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


class SqlFailed(Exception):
    """The server refused, or did not answer. The message is the server's own; `reached` says whether one answered."""

    def __init__(self, message: str, *, reached: bool) -> None:
        super().__init__(message)
        self.reached = reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to a statement; without columns where it returns no rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def statements_of(text: str) -> Iterator[str]:
    """Yield the statements of a text, each of which ends with a semicolon at the end of a line; none that is empty."""
    begin, says = 0, False
    for part in _PART.finditer(text):
        if part["end"] is not None:
            if says:
                yield text[begin : part.start()].strip()
            begin, says = part.end(), False
        elif part["comment"] is None:
            says = True
    if says:
        yield text[begin:].strip()


def distinct(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns so that none is there twice: the second `id` is `id (2)`."""
    named: list[str] = []
    for column in columns:
        numbered = (f"{column} ({number})" for number in count(2))
        named.append(next(name for name in chain((column,), numbered) if name not in named))
    return tuple(named)


def run_statements(
    secret: Mapping[str, str], statements: Iterable[str], *, answer_seconds: float | None = None
) -> Iterator[Answer]:
    """Run statements as the account of a connection Secret, each committed; yield all answers. Raises SqlFailed.

    A server that lets one in is waited for `answer_seconds` for each answer, for ever without; one that does not, for
    `CONNECT_TIMEOUT_SECONDS`.
    """
    missing = [name for name in ("host", "port", "username", "password", "database") if not secret.get(name)]
    # Somebody edited it: it is put right within minutes.
    missing += ["port that is a number up to 65535"] if secret.get("port") and not _is_port(secret["port"]) else []
    if missing:
        raise SqlFailed(f"the connection Secret has no {', '.join(missing)}", reached=False)
    try:
        connection = pymysql.connect(
            host=secret["host"],
            port=int(secret["port"]),
            user=secret["username"],
            # The account was set with it in UTF-8; the client would send a text in Latin-1.
            password=secret["password"].encode(),
            database=secret["database"],
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            # The kernel connects to a server that is stopped: its greeting is waited for too.
            read_timeout=CONNECT_TIMEOUT_SECONDS,
        )
        # The client has one limit for the greeting and all answers.
        connection._read_timeout = answer_seconds  # type: ignore[attr-defined]
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                yield _answer(cursor)
                # Of a procedure there are several, and the last of them may be that it failed.
                while cursor.nextset():
                    yield _answer(cursor)
    except pymysql.MySQLError as error:
        # Numbers from 2000 on are the client's: nobody answered, or the connection was lost.
        reached = not error.args or error.args[0] not in CLIENT_ERRORS
        raise SqlFailed(str(error.args[-1] if error.args else error), reached=reached) from error


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) <= len(str(PORT_MAX)) and int(text) <= PORT_MAX


def _answer(cursor: pymysql.cursors.Cursor) -> Answer:
    names = tuple(column[0] for column in cursor.description or ())
    return Answer(columns=names, rows=tuple(cursor.fetchall()))


def plain(cell: object) -> object:
    """Return a cell as JSON can hold it: numbers as they are, bytes as text, everything else in the server's words."""
    if cell is None or isinstance(cell, bool | int | float):
        return cell
    return cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else str(cell)
