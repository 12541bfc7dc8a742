"""One keeper's endpoint, over mutual TLS with its certificate pinned."""

import http.client
import json
import re
import ssl
from pathlib import Path

from statefuldb.model.keeper import WHATEVER_THE_TIME, KeeperStatus

CONNECT_TIMEOUT_SECONDS = 5.0
LONG_POLL_SECONDS = 30.0
_SEEN = re.compile(r"epoch [0-9]+ is over: ([0-9]{1,18}) was seen")


class KeeperError(Exception):
    """The keeper did not answer, or refused. The message holds no secret."""


class EpochOver(KeeperError):
    """The keeper has `seen` a higher epoch than that of a command."""

    def __init__(self, message: str, seen: int) -> None:
        super().__init__(message)
        self.seen = seen


def epoch_seen(refusal: str) -> int | None:
    """Return the epoch that a keeper says to have seen where that is why it refuses, else None."""
    match = _SEEN.search(refusal)
    return int(match[1]) if match is not None else None


class KeeperClient:
    """Calls to one keeper.

    `pinned_pem` is the certificate that the keeper wrote into its sandbox: no other server is talked to.
    `identity` is a file that holds the operator's certificate and key.
    """

    def __init__(self, *, address: str, port: int, pinned_pem: str, identity: Path) -> None:
        self._address = address
        self._port = port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # the pin is stronger than any name
        context.verify_flags |= WHATEVER_THE_TIME
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(cadata=pinned_pem)
        context.load_cert_chain(identity)
        self._context = context

    def status(self, *, after: int = -1, wait_seconds: float = LONG_POLL_SECONDS) -> KeeperStatus:
        """Return the status; with `after`, wait for a revision above it, not longer than told. Raises KeeperError."""
        path = "/v1/status"
        if after >= 0:
            path += f"?after={after}&timeout_seconds={wait_seconds:g}"
        try:
            return KeeperStatus.from_json(self._call("GET", path, None, long=after >= 0))
        except ValueError as error:
            raise KeeperError(f"{self._address}:{self._port} answered nonsense: {error}") from error

    def set_credentials(self, *, epoch: int, revision: str, username: str, password: str, database: str) -> None:
        """Have the application account and its database exist with this password. Raises EpochOver, KeeperError."""
        body = {
            "epoch": epoch,
            "revision": revision,
            "username": username,
            "password": password,
            "database": database,
        }
        self._call("POST", "/v1/credentials", body)

    def _call(self, method: str, path: str, body: dict[str, object] | None, *, long: bool = False) -> str:
        timeout = CONNECT_TIMEOUT_SECONDS + (LONG_POLL_SECONDS if long else 0.0)
        connection = http.client.HTTPSConnection(self._address, self._port, timeout=timeout, context=self._context)
        try:
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise KeeperError(f"{self._address}:{self._port}: {error}") from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            message = f"{method} {path} on {self._address}:{self._port}: {answer.status} {text}"
            seen = epoch_seen(text) if answer.status == http.client.CONFLICT else None
            raise KeeperError(message) if seen is None else EpochOver(message, seen)
        return text
