"""kopf as the server of the validating webhook: no handler of objects, nothing watched, nothing stored.

It is served by every operator, those that stand by too: a Service has no idea which one leads.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from logging import WARNING, getLogger
from typing import Any

import kopf

from statefuldb.adapters.kubernetes.objects import DATABASES
from statefuldb.adapters.kubernetes.watching import kopf_connection
from statefuldb.adapters.kubernetes.webhook_certificate import WebhookCertificate
from statefuldb.model.schema.crd import GROUP, VERSION
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
BEGIN_AGAIN_SECONDS = 2.0
REFRESH_SECONDS = 600.0
_INVALID = 422
Json = dict[str, Any]
Judge = Callable[[Json, Json | None], list[str]]


class Webhook:
    """Serves `/statefuldatabases` on threads of its own. `judge` returns what is wrong with a database."""

    def __init__(self, client: Any, judge: Judge, certificate: WebhookCertificate, *, host: str, port: int) -> None:
        self._client = client
        self._judge = judge
        self._certificate = certificate
        self._host, self._port = host, port
        self._served = threading.Event()

    def start(self) -> None:
        """Begin to serve, as soon as there is a certificate. Raises OSError where the port cannot be had."""
        _try_port(self._host, self._port)
        threading.Thread(target=self._keep_certificate, name="webhook-certificate", daemon=True).start()
        threading.Thread(target=self._serve, name="webhook", daemon=True).start()

    def _keep_certificate(self) -> None:
        """Look after the certificate for as long as the process lives; whoever gave it may renew it."""
        said = ""
        pause = threading.Event()
        while True:
            problem = ""
            try:
                self._certificate.refresh()
                self._served.set()
            except (EffectFailed, OSError) as failure:
                problem = str(failure)
            if problem and problem != said:
                log.warning("the webhook's certificate: %s", problem)
            said = problem
            pause.wait(BEGIN_AGAIN_SECONDS if problem else REFRESH_SECONDS)

    def _serve(self) -> None:
        getLogger("kopf").setLevel(WARNING)
        self._served.wait()
        pause = threading.Event()
        while True:
            try:
                asyncio.run(self._run())
            except Exception:  # whatever ended it: while nobody serves, nobody checks
                log.exception("the webhook ended")
            pause.wait(BEGIN_AGAIN_SECONDS)

    async def _run(self) -> None:
        registry = kopf.OperatorRegistry()
        self._register(registry)
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        settings.scanning.disabled = True
        settings.admission.managed = None
        settings.admission.server = _Server(
            addr=self._host,
            port=self._port or None,
            certfile=self._certificate.certificate,
            pkeyfile=self._certificate.key,
        )
        await kopf.operator(
            registry=registry,
            settings=settings,
            standalone=True,
            clusterwide=True,
            stop_flag=asyncio.Event(),  # ours are other threads' signals
        )

    def _register(self, registry: kopf.OperatorRegistry) -> None:
        @kopf.on.login(registry=registry)  # type: ignore[arg-type, unused-ignore]
        def login(**_: Any) -> kopf.ConnectionInfo:
            return kopf_connection(self._client)

        @kopf.on.validate(  # type: ignore[arg-type, unused-ignore]
            *(GROUP, VERSION, DATABASES), registry=registry, id=DATABASES, operations=["CREATE", "UPDATE"]
        )
        async def validate(body: Any, old: Any, warnings: list[str], **_: Any) -> None:
            try:
                errors = await asyncio.to_thread(self._judge, dict(body), dict(old) if old is not None else None)
            except EffectFailed as failure:
                # The operator looks again at what is stored: a write is not held up by what cannot be read now.
                warnings.append(f"statefuldb could not check this: {failure}")
                return
            if errors:
                raise kopf.AdmissionError("; ".join(errors), code=_INVALID)


def _try_port(host: str, port: int) -> None:
    """Raise OSError where a port cannot be had: kopf asks for it only once there is a certificate, and nobody hears."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(address)
        tried.listen()


class _Server(kopf.WebhookServer):
    """kopf's server, which says where it is."""

    async def __call__(self, fn: Any) -> AsyncIterator[Any]:
        """Serve, and yield how to be reached."""
        async for config in super().__call__(fn):
            log.info("the webhook is served at %s", config["url"])
            yield config
