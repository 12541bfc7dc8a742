"""kopf as the one that notices: `on.event` handlers that only tell the caches. It never writes to our objects.

No timer, no daemon, no finalizer and no annotation of kopf's on any object: at rest it costs nothing (measured, see
docs/architecture.md).
"""

import asyncio
import base64
import threading
from collections.abc import Callable
from logging import WARNING, getLogger
from pathlib import Path
from typing import Any, Protocol

import kopf

from statefuldb.adapters.kubernetes.kinds import Kinds, served_by
from statefuldb.adapters.kubernetes.objects import DATABASES, PAGE_OBJECTS, PROFILES, VOLUMES
from statefuldb.adapters.kubernetes.surroundings import DEFINITIONS
from statefuldb.model.schema.crd import GROUP, VERSION

log = getLogger(__name__)
SERVER_TIMEOUT_SECONDS = 600
STOP_PATIENCE_SECONDS = 10.0
BEGIN_AGAIN_SECONDS = 1.0
# For so long kopf keeps a task for each object, with all of the object; ours hold nothing that could be waited for.
WORKER_IDLE_SECONDS = 0.1

OnEvent = Callable[[str, str | None, dict[str, Any]], None]


class Watch(Protocol):
    """What tells of changes: kopf, or whatever stands for it."""

    def start(self) -> None:
        """Begin to watch."""
        ...

    def stop(self) -> None:
        """End watching."""
        ...


class Watcher:
    """Runs kopf on a thread of its own. `on_event` gets plural, event type (None while listing) and object.

    Of definitions it gets ours, and of these the metadata. With `namespaces` only these are watched, and nothing of the
    cluster's.
    """

    def __init__(self, client: Any, on_event: OnEvent, namespaces: tuple[str, ...] = ()) -> None:
        self._client = client
        self._namespaces = namespaces
        self._on_event = on_event
        self._stop = threading.Event()
        self._over = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End watching."""
        self._stop.set()
        self._over.set()
        self._thread.join(STOP_PATIENCE_SECONDS)

    def _run(self) -> None:
        """Watch until stopped, again and again.

        kopf gives up where a kind vanishes between two of its watches, and is ended where it may have missed one.
        """
        getLogger("kopf").setLevel(WARNING)
        while not self._stop.is_set():
            self._over = threading.Event()
            try:
                asyncio.run(self._watch(self._over))
            except Exception:  # whatever ended it, an operator that sees nothing is worse
                log.exception("kopf ended")
            self._stop.wait(BEGIN_AGAIN_SECONDS)

    async def _watch(self, over: threading.Event) -> None:
        """Watch until `over`."""
        if self._stop.is_set():
            return
        wanted = (DATABASES, VOLUMES) if self._namespaces else (DATABASES, VOLUMES, PROFILES)
        kinds = Kinds(wanted, await asyncio.to_thread(served_by, self._client))
        attending = asyncio.create_task(self._attend(kinds, over))
        try:
            await self._kopf(kinds, over)
        finally:
            attending.cancel()
            # Where kopf gave up by itself, a thread of this loop still waits for that, and the loop for the thread.
            over.set()

    async def _attend(self, kinds: Kinds, over: threading.Event) -> None:
        """Have kopf begin again once a kind is served that it may not have found."""
        await kinds.doubted.wait()
        while not kinds.missing & await asyncio.to_thread(served_by, self._client):
            await asyncio.sleep(BEGIN_AGAIN_SECONDS)
        over.set()

    async def _kopf(self, kinds: Kinds, over: threading.Event) -> None:
        registry = kopf.OperatorRegistry()
        self._register(registry, kinds)
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        settings.watching.server_timeout = SERVER_TIMEOUT_SECONDS
        settings.watching.client_timeout = SERVER_TIMEOUT_SECONDS + 10
        settings.watching.chunk_size = PAGE_OBJECTS
        settings.queueing.idle_timeout = WORKER_IDLE_SECONDS
        # To see definitions and namespaces come and go, kopf would watch all of them.
        settings.scanning.disabled = bool(self._namespaces)
        await kopf.operator(
            registry=registry,
            settings=settings,
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=over,
            ready_flag=self._ready,
        )

    def _register(self, registry: kopf.OperatorRegistry, kinds: Kinds) -> None:
        @kopf.on.login(registry=registry)  # type: ignore[arg-type, unused-ignore]
        def login(**_: Any) -> kopf.ConnectionInfo:
            # Made anew each time: within a cluster tokens are replaced, and kopf asks again when one is refused.
            return kopf_connection(self._client)

        for plural in kinds.wanted:
            self._follow(registry, GROUP, VERSION, plural, self._on_event)
        if not self._namespaces:

            def defined(plural: str, event_type: str | None, definition: dict[str, Any]) -> None:
                # Of others there may be hundreds, and large ones; of ours no more is asked than whether they go.
                if kinds.noticed(event_type, definition):
                    self._on_event(plural, event_type, {"metadata": definition["metadata"]})

            self._follow(registry, "", "v1", "namespaces", self._on_event)
            self._follow(registry, "apiextensions.k8s.io", "v1", DEFINITIONS, defined)

    def _follow(
        self, registry: kopf.OperatorRegistry, group: str, version: str, plural: str, on_event: OnEvent
    ) -> None:
        @kopf.on.event(group, version, plural, registry=registry, id=plural)  # type: ignore[arg-type, unused-ignore]
        async def noticed(event: Any, **_: Any) -> None:
            on_event(plural, event.get("type"), dict(event["object"]))


def kopf_connection(client: Any) -> kopf.ConnectionInfo:
    """Return the same connection for kopf."""
    configuration = client.configuration
    header = configuration.get_api_key_with_prefix("BearerToken") or ""
    authority = Path(configuration.ssl_ca_cert).read_bytes() if configuration.ssl_ca_cert else None
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_data=base64.b64encode(authority).decode() if authority else None,
        insecure=not configuration.verify_ssl,
        token=header.removeprefix("Bearer ") or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        proxy_url=configuration.proxy or None,
    )
