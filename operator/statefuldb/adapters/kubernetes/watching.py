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

from statefuldb.adapters.kubernetes.objects import DATABASES, PAGE_OBJECTS, PROFILES, VOLUMES
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

    With `namespaces` only these are watched, and nothing of the cluster's.
    """

    def __init__(self, client: Any, on_event: OnEvent, namespaces: tuple[str, ...] = ()) -> None:
        self._client = client
        self._namespaces = namespaces
        self._on_event = on_event
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End watching."""
        self._stop.set()
        self._thread.join(STOP_PATIENCE_SECONDS)

    def _run(self) -> None:
        """Watch until stopped. kopf gives up where a kind vanishes between two of its watches; then it begins again."""
        getLogger("kopf").setLevel(WARNING)
        while not self._stop.is_set():
            try:
                self._watch()
            except Exception:  # whatever ended it, an operator that sees nothing is worse
                log.exception("kopf ended")
            self._stop.wait(BEGIN_AGAIN_SECONDS)

    def _watch(self) -> None:
        registry = kopf.OperatorRegistry()
        self._register(registry)
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        settings.watching.server_timeout = SERVER_TIMEOUT_SECONDS
        settings.watching.client_timeout = SERVER_TIMEOUT_SECONDS + 10
        settings.watching.chunk_size = PAGE_OBJECTS
        settings.queueing.idle_timeout = WORKER_IDLE_SECONDS
        # To see definitions and namespaces come and go, kopf would watch all of them.
        settings.scanning.disabled = bool(self._namespaces)
        asyncio.run(
            kopf.operator(
                registry=registry,
                settings=settings,
                standalone=True,
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                stop_flag=self._stop,
                ready_flag=self._ready,
            )
        )

    def _register(self, registry: kopf.OperatorRegistry) -> None:
        @kopf.on.login(registry=registry)  # type: ignore[arg-type, unused-ignore]
        def login(**_: Any) -> kopf.ConnectionInfo:
            # Made anew each time: within a cluster tokens are replaced, and kopf asks again when one is refused.
            return kopf_connection(self._client)

        for plural in (DATABASES, VOLUMES):
            self._follow(registry, GROUP, VERSION, plural)
        if not self._namespaces:
            self._follow(registry, GROUP, VERSION, PROFILES)
            self._follow(registry, "", "v1", "namespaces")
            self._follow(registry, "apiextensions.k8s.io", "v1", "customresourcedefinitions")

    def _follow(self, registry: kopf.OperatorRegistry, group: str, version: str, plural: str) -> None:
        @kopf.on.event(group, version, plural, registry=registry, id=plural)  # type: ignore[arg-type, unused-ignore]
        async def noticed(event: Any, **_: Any) -> None:
            self._on_event(plural, event.get("type"), dict(event["object"]))


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
    )
