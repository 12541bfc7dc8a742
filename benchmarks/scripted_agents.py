"""Mesos agents and keepers without processes: they say what real ones say, over the same HTTP and TLS.

A launched task runs at once, its keeper says that the engine answers, and KILL ends it at once. The master
is the embedded one. `python scripted_agents.py MASTER COUNT NETWORK PORT RESOURCES`
"""

import asyncio
import base64
import contextlib
import json
import resource
import ssl
import sys
import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web
from cloning import Sample

from statefuldb.keeper.certificate import server_context
from statefuldb.local.mesos.recordio import decode
from statefuldb.local.mesos.resources.flags import parse_resources
from statefuldb.model.keeper import (
    CERTIFICATE_FILE,
    ENVIRONMENT_VARIABLE,
    SIGN_OF_LIFE,
    EngineStatus,
    KeeperConfig,
    KeeperPhase,
    KeeperStatus,
)

Json = dict[str, object]
ENGINE = EngineStatus(version="10.11.6", pid=1, ready=True, answers_sql=True)


class Keeper:
    """One keeper's endpoint."""

    def __init__(self, config: KeeperConfig, credentials_revision: str = "") -> None:
        self._config = config
        self._status = KeeperStatus(
            task_id=config.task_id,
            revision=1,
            phase=KeeperPhase.RUNNING,
            token=config.minimum_token + 1,
            claim_held=True,
            engine=ENGINE,
            credentials_revision=credentials_revision,
        )
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, context: ssl.SSLContext) -> None:
        self._server = await asyncio.start_server(self._serve, host, self._config.keeper_port, ssl=context)

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, target, _ = head.split(" ", 2)
                length = next(
                    (line[15:] for line in head.lower().split("\r\n") if line.startswith("content-length")), 0
                )
                body = await reader.readexactly(int(length))
                answer = await self._answer(method, target, body, writer)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
                await writer.drain()
        writer.close()

    async def _answer(self, method: str, target: str, body: bytes, writer: asyncio.StreamWriter) -> bytes:
        if method == "POST":
            wanted = json.loads(body)["revision"]
            self._status = replace(self._status, credentials_revision=wanted, revision=self._status.revision + 1)
            self._changed.set()
            self._changed = asyncio.Event()
            return b'{"done": true}'
        query = {name: float(values[0]) for name, values in parse_qs(urlsplit(target).query).items()}
        if query.get("after") == self._status.revision:
            changed, beat = self._changed, query["beat_seconds"]
            for _ in range(int(query["timeout_seconds"] / beat)):
                writer.write(SIGN_OF_LIFE)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), beat)
                    break
        return self._status.to_json().encode()


class Agent:
    """One agent: a stream from the master, and what it answers."""

    def __init__(self, number: int, host: str, session: aiohttp.ClientSession, master: str) -> None:
        self.name = f"agent-{number}"
        self.host = host
        self._session = session
        self._master = f"http://{master}"
        self._id = ""
        self._keepers: dict[str, tuple[str, Keeper]] = {}
        self._unacknowledged: dict[str, list[Json]] = {}
        self._stream: aiohttp.ClientResponse | None = None
        self.tasks: dict[str, Json] = {}

    async def run(self, port: int, total: list[dict[str, Any]], context: "Contexts") -> None:
        """Be registered, with what runs, for ever."""
        info = {"hostname": self.name, "ip": self.host, "port": port, "resources": total, "attributes": []}
        while True:
            held = [r for task in self.tasks.values() for r in without_allocation(task)]
            running = [
                {"framework_id": self._keepers[i][0], "task": task, "status": {"state": "TASK_RUNNING"}}
                for i, task in self.tasks.items()
            ]
            body = {"info": info, "total": [*total, *held], "tasks": running, **({"id": self._id} if self._id else {})}
            async with self._session.post(f"{self._master}/internal/agent", json=body) as self._stream:
                # It ends when we close it, to register anew.
                with contextlib.suppress(aiohttp.ClientError):
                    while (message := await decode(self._stream.content)) is not None:
                        await self._obey(message, context)

    async def take(self, sample: Sample, numbers: range, task: str, framework_id: str, context: "Contexts") -> None:
        """Run clones of a task too, and register anew with them."""
        for number in numbers:
            info = json.loads(sample.cloned(task, number))
            await self._start(info, framework_id, context, sample.revision(number))
        if self._stream is not None:
            self._stream.close()

    def running(self, name: str) -> tuple[str, str] | None:
        """Return the task of a database as JSON, and its framework's id, or None where it does not run here."""
        for task_id, task in self.tasks.items():
            if str(task["name"]).startswith(name):
                return json.dumps(task), self._keepers[task_id][0]
        return None

    def state(self) -> Json:
        frameworks: dict[str, list[Json]] = {}
        for task_id, (framework_id, _) in self._keepers.items():
            frameworks.setdefault(framework_id, []).append({"id": task_id, "directory": f"/{task_id}"})
        return {"id": self._id, "frameworks": [{"id": i, "executors": e} for i, e in frameworks.items()]}

    async def _obey(self, message: dict[str, Any], context: "Contexts") -> None:
        match message["type"]:
            case "REGISTERED":
                self._id = message["agent_id"]
            case "APPLY":
                await self._applied(message)
            case "RUN_TASK":
                info, framework_id = message["task"], message["framework"]["id"]["value"]
                await self._start(info, framework_id, context)
                for state in ("TASK_STARTING", "TASK_RUNNING"):
                    await self._status(info["task_id"]["value"], framework_id, state)
            case "KILL":
                framework_id, keeper = self._keepers.pop(message["task_id"])
                keeper.stop()
                del self.tasks[message["task_id"]]
                await self._status(message["task_id"], framework_id, "TASK_KILLED")
            case "ACK":
                waiting = self._unacknowledged.get(message["task_id"], [])
                if waiting and waiting[0]["uuid"] == message["uuid"]:
                    waiting.pop(0)
                    if waiting:
                        await self._tell("UPDATE", message["framework_id"], waiting[0])

    async def _start(self, info: dict[str, Any], framework_id: str, context: "Contexts", revision: str = "") -> None:
        variables = info["command"]["environment"]["variables"]
        config = KeeperConfig.from_json(next(v["value"] for v in variables if v["name"] == ENVIRONMENT_VARIABLE))
        keeper = Keeper(config, revision)
        await keeper.start(self.host, context.of(config))
        self._keepers[config.task_id] = (framework_id, keeper)
        self.tasks[config.task_id] = info

    async def _applied(self, message: dict[str, Any]) -> None:
        operation, said = message["operation"], fresh()
        known = {"operation_id": operation["id"]} if "id" in operation else {}
        status: Json = {
            "state": "OPERATION_FINISHED",
            "uuid": {"value": said},
            "agent_id": {"value": self._id},
            **known,
        }
        more = {"uuid_of": message["uuid"], "uuid": said, "operation": operation}
        await self._tell("OPERATION_UPDATE", message["framework_id"], status, **more)

    async def _status(self, task_id: str, framework_id: str, state: str) -> None:
        status: Json = {
            "task_id": {"value": task_id},
            "state": state,
            "source": "SOURCE_EXECUTOR",
            "agent_id": {"value": self._id},
            "uuid": fresh(),
        }
        waiting = self._unacknowledged.setdefault(task_id, [])
        waiting.append(status)
        if len(waiting) == 1:
            await self._tell("UPDATE", framework_id, status)

    async def _tell(self, kind: str, framework_id: str, status: Json, **more: Any) -> None:
        message = {"type": kind, "framework_id": framework_id, "agent_id": self._id, "status": status, **more}
        async with self._session.post(f"{self._master}/internal/agent/message", json=message):
            pass


class Contexts:
    """One key and certificate for all keepers: making thousands would take long and measure nothing."""

    def __init__(self) -> None:
        self._made: tuple[ssl.SSLContext, str] | None = None

    def of(self, config: KeeperConfig) -> ssl.SSLContext:
        if self._made is None:
            self._made = server_context("scripted", config.operator_ca_pem)
        return self._made[0]

    @property
    def certificate(self) -> str:
        return self._made[1] if self._made is not None else ""


def without_allocation(task: Json) -> list[Json]:
    """Return what a task holds, as an agent has it."""
    held: Any = task["resources"]
    return [{k: v for k, v in resource.items() if k != "allocation_info"} for resource in held]


def fresh() -> str:
    """Return the uuid of a status, as Mesos writes it."""
    return base64.b64encode(uuid.uuid4().bytes).decode()


async def main(master: str, count: int, network: str, port: int, resources: str) -> None:
    """Serve until killed."""
    contexts = Contexts()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
        agents = {
            f"{network}.{number}": Agent(number, f"{network}.{number}", session, master)
            for number in range(1, count + 1)
        }

        def agent_of(request: web.Request) -> Agent:
            assert request.transport is not None
            return agents[request.transport.get_extra_info("sockname")[0]]

        async def state(request: web.Request) -> web.Response:
            return web.json_response(agent_of(request).state())

        async def read(request: web.Request) -> web.Response:
            assert request.query["path"].endswith(CERTIFICATE_FILE)
            text, offset = contexts.certificate, int(request.query["offset"])
            if offset < 0:
                return web.json_response({"data": "", "offset": len(text)})
            return web.json_response({"data": text[offset:], "offset": offset})

        async def clone(request: web.Request) -> web.Response:
            sample = Sample.from_json(await request.text())
            found = [seen for agent in agents.values() if (seen := agent.running(sample.name)) is not None]
            (task, framework_id), count = found[0], int(request.query["count"])
            by_host = {agent.name: agent for agent in agents.values()}
            for position, (_, hostname, _) in enumerate(sample.agents):
                first = position * sample.per_agent
                numbers = range(first, min(first + sample.per_agent, count))
                await by_host[hostname].take(sample, numbers, task, framework_id, contexts)
            return web.Response()

        app = web.Application()
        app.router.add_post("/clone", clone)
        app.router.add_get("/slave(1)/state", state)
        app.router.add_get("/files/read", read)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        for host in agents:
            await web.TCPSite(runner, host, port).start()
        total = parse_resources(resources)
        await asyncio.gather(*(agent.run(port, total, contexts) for agent in agents.values()))


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]))
