"""`python -m statefuldb.local.mesos master|agent`: one daemon of the embedded Mesos."""

import argparse
import asyncio
import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from statefuldb.local.mesos.agent.agent import Agent
from statefuldb.local.mesos.agent.agent_server import AgentServer
from statefuldb.local.mesos.agent.checkpoint import Incompatible
from statefuldb.local.mesos.master.authentication import FRAMEWORKS, OPERATORS, read_credentials
from statefuldb.local.mesos.master.authorization import Acls
from statefuldb.local.mesos.master.master import REREGISTER_SECONDS
from statefuldb.local.mesos.master.master_server import MasterServer
from statefuldb.local.mesos.resources.flags import parse_attributes, parse_resources

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
STOP_GRACE_SECONDS = 60.0


def main() -> int:
    """Run one master or agent until SIGTERM. SIGUSR1 has an agent end its tasks cleanly first."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    if arguments.role == "agent":
        for binding in arguments.bind:
            source, _, target = binding.partition(":")
            _bind(source, target)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_master(arguments) if arguments.role == "master" else _agent(arguments))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="statefuldb.local.mesos")
    roles = parser.add_subparsers(dest="role", required=True)
    for name in ("master", "agent"):
        role = roles.add_parser(name)
        role.add_argument("--work-dir", type=Path, required=True)
        role.add_argument("--host", default="127.0.0.1")
        role.add_argument("--port", type=int, required=True)
        role.add_argument("--domain", type=json.loads, metavar="JSON")
        pings = ("--agent-ping-timeout-seconds", "--agent_ping_timeout")
        role.add_argument(*pings, type=_duration, default=15.0, metavar="SECONDS|NUMBERsecs")
        role.add_argument("--max-agent-ping-timeouts", "--max_agent_ping_timeouts", type=int, default=5)
    master = roles.choices["master"]
    master.add_argument("--allocation-interval-seconds", type=float, default=0.1)
    master.add_argument("--agent_reregister_timeout", type=_reregister_timeout, default=REREGISTER_SECONDS)
    # As a real master has them; a file of credentials in JSON, access control lists as JSON.
    master.add_argument("--credentials", type=Path)
    master.add_argument("--acls", type=json.loads, default={})
    master.add_argument("--http_framework_authenticators", choices=["basic"], default="basic")
    for name in ("--authenticate_http_frameworks", "--authenticate_http_readwrite"):
        master.add_argument(name, action="store_true")
    agent = roles.choices["agent"]
    agent.add_argument("--hostname", required=True)
    agent.add_argument("--master", required=True)
    agent.add_argument("--resources", default="cpus:4;mem:8192;disk:40960;ports:[31000-31999]")
    agent.add_argument("--attributes", default="")
    agent.add_argument("--bind", action="append", default=[], metavar="SOURCE:TARGET")
    return parser.parse_args()


def _duration(text: str) -> float:
    """Return seconds, written as a number or as Mesos writes a duration."""
    for unit, seconds in (("mins", 60.0), ("ms", 0.001), ("secs", 1.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * seconds
    return float(text)


def _reregister_timeout(text: str) -> float:
    seconds = _duration(text)
    if seconds < REREGISTER_SECONDS:
        raise argparse.ArgumentTypeError(
            f"Invalid value '{text}' for --agent_reregister_timeout: Must be at least 10mins"
        )
    return seconds


async def _master(arguments: argparse.Namespace) -> None:
    server = MasterServer(
        work_dir=arguments.work_dir,
        host=arguments.host,
        port=arguments.port,
        unreachable_seconds=arguments.agent_ping_timeout_seconds * arguments.max_agent_ping_timeouts,
        reregister_seconds=arguments.agent_reregister_timeout,
        allocation_seconds=arguments.allocation_interval_seconds,
        acls=Acls(arguments.acls),
        realms=_realms(arguments),
        credentials=read_credentials(arguments.credentials) if arguments.credentials else {},
        domain=arguments.domain,
    )
    await _serve(server.application(), arguments, asyncio.Event())


def _realms(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the paths that ask for credentials."""
    asked = ((arguments.authenticate_http_frameworks, FRAMEWORKS), (arguments.authenticate_http_readwrite, OPERATORS))
    return dict(realm for wanted, realm in asked if wanted)


async def _agent(arguments: argparse.Namespace) -> None:
    arguments.work_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
    total = parse_resources(arguments.resources)
    info = {
        "hostname": arguments.hostname,
        "ip": arguments.host,
        "port": arguments.port,
        "resources": total,
        "attributes": parse_attributes(arguments.attributes),
        **({"domain": arguments.domain} if arguments.domain else {}),
    }
    try:
        agent = Agent(
            work_dir=arguments.work_dir.resolve(),
            master=arguments.master,
            info=info,
            heartbeat_seconds=arguments.agent_ping_timeout_seconds / 3,
        )
    except Incompatible as refusal:
        raise SystemExit(f"EXIT with status 1: Failed to perform recovery: {refusal}") from refusal
    stop = asyncio.Event()
    running = asyncio.create_task(agent.run())
    # An agent that a person has called gone ends itself.
    running.add_done_callback(lambda _: stop.set())

    async def end_tasks() -> None:
        await agent.stop_tasks(STOP_GRACE_SECONDS)
        stop.set()

    ending: list[asyncio.Task[None]] = []
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGUSR1, lambda: ending.append(asyncio.create_task(end_tasks()))
    )
    await _serve(AgentServer(agent).application(), arguments, stop)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        # What ended it otherwise is to be seen in the log.
        await running


async def _serve(app: web.Application, arguments: argparse.Namespace, stop: asyncio.Event) -> None:
    # A stream whose other side has died ends at once, not with the next thing that is written to it.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, arguments.host, arguments.port, reuse_address=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()


def _bind(source: str, target: str) -> None:
    """Give this agent and its tasks their own view of a mount point (unshare(2), mount(2)). Needs root."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise SystemExit(f"--bind needs root: {os.strerror(ctypes.get_errno())}")
    Path(target).mkdir(parents=True, exist_ok=True)
    if libc.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None) != 0:
        raise SystemExit(f"--bind {source}:{target}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    sys.exit(main())
