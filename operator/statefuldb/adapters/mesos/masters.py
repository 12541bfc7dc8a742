"""Where masters are: a fixed list, or the leader that ZooKeeper names (Mesos docs, high-availability)."""

from collections.abc import Callable
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from statefuldb.adapters.mesos.credentials import read_secret
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)

FILE_SCHEME = "file://"
SCHEME = "zk://"
DEFAULT_ZOOKEEPER_PORT = 2181


class Masters(Protocol):
    """Names masters to try."""

    @property
    def error(self) -> str:
        """Why there is none, where `candidates` returns none."""
        ...

    def start(self, on_change: Callable[[], None]) -> None:
        """Begin to watch; `on_change` is called, on another thread, when the leader has become another."""
        ...

    def stop(self) -> None:
        """Watch no longer."""
        ...

    def candidates(self) -> tuple[str, ...]:
        """Return `host:port` of the masters to try, the likeliest first."""
        ...


class MasterList:
    """Masters that were listed. Any of them redirects to the leader."""

    error = "no master is configured"

    def __init__(self, masters: tuple[str, ...]) -> None:
        self._masters = masters

    def start(self, on_change: Callable[[], None]) -> None:
        """Do nothing: a list does not change."""

    def stop(self) -> None:
        """Do nothing."""

    def candidates(self) -> tuple[str, ...]:
        """Return the list."""
        return self._masters


@dataclass(frozen=True, slots=True, kw_only=True)
class ZooKeeperAddress:
    """Servers (`host:port`), the group's path, and `user:password` or None. Neither text nor repr holds the latter."""

    servers: tuple[str, ...]
    path: str
    _login: str | None = None

    @property
    def login(self) -> str | None:
        """`user:password` for the digest scheme, or None."""
        return self._login

    def __str__(self) -> str:
        return f"{SCHEME}{','.join(self.servers)}{self.path}"

    def __repr__(self) -> str:
        return f"ZooKeeperAddress({self})"


def parse_masters(words: tuple[str, ...]) -> MasterList | ZooKeeperAddress:
    """Read `--mesos`: `host:port` ..., or one `zk://[user:password@]host[:port],.../path`, or `file://` with either.

    A file keeps the password out of the process arguments, and must be its owner's alone. Raises EffectFailed.
    """
    from_file = len(words) == 1 and words[0].startswith(FILE_SCHEME)
    if from_file:
        words = tuple(read_secret(Path(words[0].removeprefix(FILE_SCHEME))).split())
    if len(words) == 1 and words[0].startswith(SCHEME):
        address = _zookeeper(words[0].removeprefix(SCHEME))
        if address.login is not None and not from_file:
            log.warning("everyone on this machine can read the password in --mesos; give --mesos file:///path instead")
        return address
    listed = tuple(word for text in words for word in text.split(",") if word)
    for word in listed:
        _port(word)
    if not listed:
        raise EffectFailed("--mesos names no master; give host:port or zk://host:port/path")
    return MasterList(listed)


def _zookeeper(text: str) -> ZooKeeperAddress:
    servers, slash, path = text.rpartition("@")[2].partition("/")
    login = text.rpartition("@")[0] or None
    hosts = tuple(host if _port(host) else f"{host}:{DEFAULT_ZOOKEEPER_PORT}" for host in servers.split(","))
    if not slash or not path.strip("/") or (login is not None and ":" not in login):
        shown = f"{SCHEME}{servers}{slash}{path}"
        raise EffectFailed(f"--mesos {shown} must be zk://[user:password@]host:port[,host:port...]/path")
    return ZooKeeperAddress(servers=hosts, path=f"/{path.strip('/')}", _login=login)


def _port(word: str) -> int | None:
    """Return the port in `host:port`. Raises EffectFailed; the message never holds what stands before an @."""
    shown = word.rpartition("@")[2]
    try:
        parts = urlsplit(f"//{word}")
        good = bool(parts.hostname) and "@" not in word and "/" not in word
        port = parts.port
    except ValueError:
        good, port = False, None
    if not good:
        raise EffectFailed(f"--mesos {shown!r} is not host:port; an IPv6 address stands in brackets, as in [::1]:5050")
    return port
