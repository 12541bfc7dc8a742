"""The master's sockets: the v1 scheduler and operator APIs, and the agents' private streams."""

import asyncio
import contextlib
import os
import time
import uuid
from logging import getLogger
from pathlib import Path
from typing import Any

from aiohttp import web

from statefuldb.local.mesos.master import draining
from statefuldb.local.mesos.master.agents import GoneByOperator
from statefuldb.local.mesos.master.authentication import PRINCIPAL, authenticated
from statefuldb.local.mesos.master.authorization import Acls
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import CloseAgent, CloseStream, ToAgent, ToFramework
from statefuldb.local.mesos.master.http_calls import UNCONVERTIBLE, bad, only_post, parsed, refusal
from statefuldb.local.mesos.master.master import HEARTBEAT_SECONDS, Master, Refused
from statefuldb.local.mesos.master.operator_api import OperatorApi
from statefuldb.local.mesos.master.registry import Registry
from statefuldb.local.mesos.recordio import Outgoing, encode
from statefuldb.local.mesos.resources.operations import MasterAborted

log = getLogger(__name__)
Json = dict[str, Any]
BODY_LIMIT_BYTES = 64 * 1024 * 1024


class MasterServer:
    """One master on one address."""

    def __init__(
        self,
        *,
        work_dir: Path,
        host: str,
        port: int,
        unreachable_seconds: float,
        reregister_seconds: float,
        allocation_seconds: float,
        acls: Acls,
        realms: dict[str, str],
        credentials: dict[str, str],
        domain: Json | None,
    ) -> None:
        """`realms` are the paths that ask for credentials, with the name of what they protect."""
        self._registry = Registry(work_dir)
        self._host, self._port = host, port
        self._allocation_seconds = allocation_seconds
        cluster = Cluster(master_id=str(uuid.uuid4()), acls=acls, domain=domain)
        self._authenticated = authenticated(realms, credentials)
        cluster.removed = self._registry.removed()
        self._master = Master(
            cluster,
            address=host,
            port=port,
            unreachable_seconds=unreachable_seconds,
            reregister_seconds=reregister_seconds,
        )
        self._master.agents.recover(self._registry.agents(), time.time())
        self._frameworks: dict[str, tuple[str, Outgoing]] = {}
        self._agents: dict[str, Outgoing] = {}
        self._operator = OperatorApi(self._master)
        self._dirty = asyncio.Event()

    def application(self) -> web.Application:
        """Return the HTTP application."""
        app = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[self._authenticated])
        app.router.add_post("/api/v1/scheduler", self._scheduler)
        app.router.add_post("/api/v1", self._operator_call)
        for path in ("/api/v1/scheduler", "/api/v1"):
            app.router.add_route("*", path, only_post)
        app.router.add_post("/internal/agent", self._agent_stream)
        app.router.add_post("/internal/agent/message", self._agent_message)
        app.router.add_get("/version", self._version)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics/snapshot", self._metrics)
        app.cleanup_ctx.append(self._background)
        return app

    async def _background(self, app: web.Application) -> Any:
        tasks = [asyncio.create_task(self._allocating()), asyncio.create_task(self._beating())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _allocating(self) -> None:
        """Offer soon after something changed, and at times where only the clock moves things."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._dirty.wait(), timeout=1.0)
                await asyncio.sleep(self._allocation_seconds)
            self._dirty.clear()
            self._master.tick(time.time())
            self._flush()

    async def _beating(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self._master.heartbeat()
            self._flush()

    def _flush(self) -> None:
        """Put what the state machine wants sent on its streams."""
        outbox, self._master.cluster.outbox = self._master.cluster.outbox, []
        for effect in outbox:
            match effect:
                case ToFramework(framework_id, event):
                    if framework_id in self._frameworks:
                        self._frameworks[framework_id][1].put(event)
                case ToAgent(agent_id, message):
                    if agent_id in self._agents:
                        self._agents[agent_id].put(message)
                case CloseAgent(agent_id):
                    if agent_id in self._agents:
                        self._agents.pop(agent_id).close()
                case CloseStream(framework_id, stream):
                    held = self._frameworks.get(framework_id)
                    if held is not None and held[0] == stream:
                        held[1].close()
                        del self._frameworks[framework_id]
        self._registry.save_removed(self._master.cluster.removed)

    async def _scheduler(self, request: web.Request) -> web.StreamResponse:
        call = await parsed(request)
        if isinstance(call, web.Response):
            return call
        stream = request.headers.get("Mesos-Stream-Id")
        log.info("call %s", call.get("type"))
        if call.get("type") == "SUBSCRIBE":
            return await self._subscribe(request, call)
        try:
            status = self._master.call(call, stream, time.time(), request[PRINCIPAL])
        except Refused as refused:
            return web.Response(status=refused.status, text=str(refused))
        except UNCONVERTIBLE as error:
            return bad(f"Failed to convert JSON into Call protobuf: {error}")
        except MasterAborted as fatal:
            log.critical("%s", fatal)
            os.abort()
        self._flush()
        self._dirty.set()
        return web.Response(status=status)

    async def _subscribe(self, request: web.Request, call: Json) -> web.StreamResponse:
        answer = refusal(request, call)
        if answer is not None:
            return answer
        stream, outgoing = str(uuid.uuid4()), Outgoing()
        framework_id = None
        try:
            info_id = call["subscribe"]["framework_info"].get("id", {}).get("value")
            framework_id = self._master.subscribe(call, stream, time.time(), request[PRINCIPAL])
        except Refused as refused:
            outgoing.put({"type": "ERROR", "error": {"message": str(refused)}})
            outgoing.close()
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Mesos-Stream-Id": stream})
        response.enable_chunked_encoding()
        await response.prepare(request)
        if framework_id is not None:
            self._fail_over(framework_id, info_id)
            self._frameworks[framework_id] = (stream, outgoing)
            self._flush()
            self._dirty.set()
        try:
            await outgoing.serve(response)
            await response.write_eof()
        except ConnectionError:
            pass
        finally:
            if framework_id is not None:
                self._master.disconnect(framework_id, stream, time.time())
                self._flush()
        return response

    def _fail_over(self, framework_id: str, info_id: str | None) -> None:
        """Tell the subscription that is being succeeded, and end it, before the new one gets its first event."""
        held = self._frameworks.pop(framework_id, None)
        if held is None:
            return
        cluster = self._master.cluster
        farewell = [e for e in cluster.outbox if isinstance(e, ToFramework) and e.event.get("type") == "ERROR"]
        cluster.outbox = [e for e in cluster.outbox if e not in farewell and not isinstance(e, CloseStream)]
        for effect in farewell:
            held[1].put(effect.event)
        held[1].close()

    async def _agent_stream(self, request: web.Request) -> web.StreamResponse:
        message = await request.json()
        try:
            agent_id = self._master.agents.register(message, time.time())
        except GoneByOperator as gone:
            log.info("agent %s is gone", gone)
            return web.Response(body=encode({"type": "GONE"}))
        draining.order(self._master.cluster, self._master.cluster.agents[agent_id])
        self._registry.save_agents(self._master.cluster.agents.values())
        outgoing = Outgoing()
        self._agents[agent_id] = outgoing
        outgoing.put({"type": "REGISTERED", "agent_id": agent_id})
        self._flush()
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        log.info("agent %s registered", agent_id)
        self._dirty.set()
        try:
            await outgoing.serve(response)
        except ConnectionError:
            pass
        finally:
            if self._agents.get(agent_id) is outgoing:
                del self._agents[agent_id]
                self._master.agents.disconnect(agent_id, time.time())
                self._flush()
        return response

    async def _agent_message(self, request: web.Request) -> web.Response:
        message = await request.json()
        agents, agent_id = self._master.agents, message["agent_id"]
        agents.seen(agent_id, time.time())
        match message["type"]:
            case "UPDATE":
                agents.update(agent_id, message["framework_id"], message["status"])
            case "OPERATION_UPDATE":
                agents.operation_update(agent_id, {**message, "uuid": message["uuid_of"]})
            case "EXECUTOR_ENDED":
                agents.executor_ended(agent_id, message)
            case _:
                return web.Response(status=202)
        self._flush()
        self._dirty.set()
        return web.Response(status=202)

    async def _operator_call(self, request: web.Request) -> web.Response:
        call = await parsed(request)
        if isinstance(call, web.Response):
            return call
        try:
            status, body = self._operator.call(call, time.time(), request[PRINCIPAL])
        except UNCONVERTIBLE as error:
            return bad(f"Failed to convert JSON into Call protobuf: {error}")
        if "_AGENT" in str(call.get("type")):
            self._registry.save_agents(self._master.cluster.agents.values())
        self._flush()
        self._dirty.set()
        return (
            web.json_response(body, status=status) if isinstance(body, dict) else web.Response(status=status, text=body)
        )

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "1.11.0", "build_user": "embedded"})

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _metrics(self, request: web.Request) -> web.Response:
        cluster = self._master.cluster
        gauges = {
            "master/elected": 1.0,
            "master/tasks_running": sum(t.state == "TASK_RUNNING" for t in cluster.tasks.values()),
            "master/slaves_active": sum(a.connected for a in cluster.agents.values()),
        }
        return web.json_response({**gauges, **cluster.counts})
