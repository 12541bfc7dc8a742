"""The leading master as ZooKeeper names it: the lowest `json.info_` child of the group (high-availability.md).

One thread reads, waits for a watch, and reads again once in a while: a lost watch (MESOS-9426) costs time only.
"""

import json
import logging
import threading
from collections.abc import Callable

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

from statefuldb.adapters.mesos.masters import ZooKeeperAddress

log = logging.getLogger(__name__)
# kazoo logs its requests where it may, the one with the password among them.
_kazoo_log = logging.getLogger(f"{__name__}.kazoo")
_kazoo_log.setLevel(logging.WARNING)

MEMBER_PREFIX = "json.info_"
SESSION_SECONDS = 10.0
READ_AGAIN_SECONDS = 30.0
RETRY_SECONDS = 2.0
FIRST_ANSWER_SECONDS = 15.0


class ZooKeeperMasters:
    """The leader. `by_name` prefers the host name that a master announces to its IP: certificates name hosts.

    A ZooKeeper that is lost later leaves the last known leader in place: Mesos itself says when it leads no longer.
    """

    def __init__(self, address: ZooKeeperAddress, *, by_name: bool) -> None:
        self._address = address
        self._by_name = by_name
        self._leader: str | None = None
        self._last_leader: str | None = None
        self._error = f"{address} has not answered yet"
        self._on_change: Callable[[], None] = lambda: None
        self._changed = threading.Event()
        self._first = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def error(self) -> str:
        """Why there is no leader."""
        return self._error

    def start(self, on_change: Callable[[], None]) -> None:
        """Begin to watch, unless that is so already."""
        self._on_change = on_change
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="mesos-zookeeper", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._ending.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(SESSION_SECONDS)

    def candidates(self) -> tuple[str, ...]:
        """Return the leader, or nothing. Waits for the first answer of ZooKeeper, for a bounded time."""
        self._first.wait(FIRST_ANSWER_SECONDS)
        return (self._leader,) if self._leader is not None else ()

    def _watch(self) -> None:
        login = self._address.login
        client = KazooClient(
            hosts=",".join(self._address.servers),
            timeout=SESSION_SECONDS,
            auth_data=[("digest", login)] if login is not None else None,
            logger=_kazoo_log,
        )
        client.add_listener(lambda _: self._changed.set())
        client.start_async()
        try:
            while True:
                self._changed.clear()
                # After that: `stop` sets this one first.
                if self._ending.is_set():
                    break
                good = self._look(client)
                self._changed.wait(READ_AGAIN_SECONDS if good else RETRY_SECONDS)
        finally:
            client.stop()
            client.close()

    def _look(self, client: KazooClient) -> bool:
        """Read once. Return whether ZooKeeper answered."""
        if not client.connected:
            self._error = f"{self._address} is not reached"
            return False
        try:
            children = client.get_children(self._address.path, watch=lambda _: self._changed.set())
            masters = sorted(child for child in children if child.startswith(MEMBER_PREFIX))
            found = self._read(client, masters[0]) if masters else None
        except (KazooException, KazooTimeoutError, AttributeError, KeyError, TypeError, ValueError) as error:
            # A member may go between the two reads; a missing path or a refused login is named like this too.
            self._error = f"{self._address}: {type(error).__name__}"
            self._first.set()
            return False
        self._take(found)
        return True

    def _read(self, client: KazooClient, member: str) -> str:
        data, _ = client.get(f"{self._address.path}/{member}")
        address = json.loads(data)["address"]
        host = (address.get("hostname") if self._by_name else None) or address.get("ip") or address["hostname"]
        return f"[{host}]:{address['port']}" if ":" in host else f"{host}:{address['port']}"

    def _take(self, found: str | None) -> None:
        self._leader = found
        self._error = f"{self._address} names no leader: no master is running, or they elect one just now"
        self._first.set()
        if found is None or found == self._last_leader:
            return
        log.info("%s names %s", self._address, found)
        # Also where nobody led in between: the last one may hold the stream still.
        last, self._last_leader = self._last_leader, found
        if last is not None:
            self._on_change()
