"""A proxy between the operator and its API server that refuses, loses answers and cuts watches, as it is told to."""

import asyncio
import random
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from aiohttp import ClientSession, TCPConnector, web

REFUSALS = (429, 500, 503)
# Bodies are passed on as they come: a real API server compresses long ones.
_HOP_BY_HOP = ("transfer-encoding", "content-length", "connection", "date", "server")


class Weather:
    """Listens on loopback with the API server's own certificate. `kubeconfig` leads through it.

    `share` of the requests meet bad weather: half of these are refused, of the other half the answer is lost, so that a
    write took place and nobody was told.
    """

    def __init__(self, api_folder: Path, folder: Path, seed: int) -> None:
        self.share = 0.0
        self.spoiled = self.cut = 0
        self._random = random.Random(seed)
        self._folder = api_folder
        self._streams: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        config = yaml.safe_load((api_folder / "kubeconfig").read_text())
        self._upstream = config["clusters"][0]["cluster"]["server"]
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        self.kubeconfig = folder / "kubeconfig-through-weather"
        self.kubeconfig.write_text(yaml.safe_dump(config))

    @contextmanager
    def storm(self, share: float, cut_every_seconds: float) -> Iterator[None]:
        """Spoil a share of all requests, and cut all watches ever again, while the context is open."""
        over = threading.Event()

        def cutting() -> None:
            while not over.wait(cut_every_seconds):
                self._loop.call_soon_threadsafe(self._cut_watches)

        cutter = threading.Thread(target=cutting)
        self.share = share
        cutter.start()
        try:
            yield
        finally:
            self.share = 0.0
            over.set()
            cutter.join()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _start(self) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "server.crt", self._folder / "server.key")
        trusted = ssl.create_default_context(cafile=str(self._folder / "server.crt"))
        self._session = ClientSession(connector=TCPConnector(ssl=trusted, limit=0), auto_decompress=False)
        app = web.Application(client_max_size=4 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        assert self._runner.addresses
        return int(self._runner.addresses[0][1])

    async def _end(self) -> None:
        self._cut_watches()
        await self._runner.cleanup()
        await self._session.close()

    def _cut_watches(self) -> None:
        for stream in self._streams:
            self.cut += 1
            stream.cancel()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        bad = self._random.random() < self.share
        refused = bad and self._random.random() < 0.5
        self.spoiled += bad
        if refused:
            return self._refusal()
        body = await request.read()
        headers = {n: v for n, v in request.headers.items() if n.lower() not in ("host", *_HOP_BY_HOP)}
        url = self._upstream + request.raw_path
        passed = self._session.request(
            request.method, url, data=body or None, headers=headers, skip_auto_headers=("Content-Type", "User-Agent")
        )
        async with passed as answer:
            kept = {n: v for n, v in answer.headers.items() if n.lower() not in _HOP_BY_HOP}
            if "watch" not in request.query:
                text = await answer.read()
                return self._refusal() if bad else web.Response(body=text, status=answer.status, headers=kept)
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)

            async def stream() -> None:
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)

            task = asyncio.ensure_future(stream())
            self._streams.add(task)
            try:
                await task
            except (asyncio.CancelledError, ConnectionError):
                if request.transport is not None:
                    request.transport.abort()
            finally:
                self._streams.discard(task)
            return response

    def _refusal(self) -> web.Response:
        status = self._random.choice(REFUSALS)
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": "bad weather"}
        return web.json_response(body, status=status, headers={"Retry-After": "1"} if status == 429 else {})
