"""SQL as an application sends it, to MariaDB and MySQL."""

from collections.abc import Iterable, Iterator, Mapping

import pymysql

CONNECT_TIMEOUT_SECONDS = 10
Row = tuple[object, ...]


class SqlFailed(Exception):
    """The server refused, or did not answer. The message is the server's own."""


def run_statements(secret: Mapping[str, str], statements: Iterable[str]) -> Iterator[Row]:
    """Run statements as the account of a connection Secret, each committed; yield all rows. Raises SqlFailed."""
    try:
        connection = pymysql.connect(
            host=secret["host"],
            port=int(secret["port"]),
            user=secret["username"],
            password=secret["password"],
            database=secret["database"],
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                yield from cursor.fetchall()
    except pymysql.MySQLError as error:
        raise SqlFailed(str(error.args[-1])) from error
