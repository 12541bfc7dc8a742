"""Checks and health checks of a task, as its executor makes them (Mesos docs, health-checks).

They are made where the task runs: commands in its sandbox and environment, connections to this machine's loopback. What
a check found is told where it has changed; a health check tells its first success and each failure, and asks for the
task's end after so many failures in a row.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from statefuldb.local.mesos.agent.executor import command_of
from statefuldb.local.mesos.agent.tasks import RunningTask

Json = dict[str, Any]
LOOPBACK = "127.0.0.1"
# Defaults of CheckInfo and HealthCheck in mesos.proto, in seconds.
DELAY_SECONDS, INTERVAL_SECONDS, TIMEOUT_SECONDS, GRACE_SECONDS = 15.0, 10.0, 20.0, 10.0
CONSECUTIVE_FAILURES = 3
HTTP_HEALTHY = range(200, 400)
Tell = Callable[[str], None]


async def follow(task: RunningTask, environment: Json, tell: Tell, end: Callable[[], Awaitable[None]]) -> None:
    """Make a task's checks until cancelled.

    `tell` is given the reason of a status that says what was found; `end` ends the task for its ill health.
    """
    info = task.order["task"]
    async with asyncio.TaskGroup() as both:
        if "check" in info:
            both.create_task(_check(task, info["check"], environment, tell))
        if "health_check" in info:
            both.create_task(_health(task, info["health_check"], environment, tell, end))


async def _check(task: RunningTask, check: Json, environment: Json, tell: Tell) -> None:
    await asyncio.sleep(float(check.get("delay_seconds", DELAY_SECONDS)))
    while True:
        found = await _timed(task, check, environment)
        if found != task.check_found:
            task.check_found = found
            tell("REASON_TASK_CHECK_STATUS_UPDATED")
        await asyncio.sleep(float(check.get("interval_seconds", INTERVAL_SECONDS)))


async def _health(
    task: RunningTask, check: Json, environment: Json, tell: Tell, end: Callable[[], Awaitable[None]]
) -> None:
    """Healthy is told once, and again after a failure; failures before the first success wait for the grace to end."""
    began, failures = asyncio.get_running_loop().time(), 0
    grace = float(check.get("grace_period_seconds", GRACE_SECONDS))
    limit = int(check.get("consecutive_failures", CONSECUTIVE_FAILURES))
    await asyncio.sleep(float(check.get("delay_seconds", DELAY_SECONDS)))
    while True:
        healthy = _succeeded(await _timed(task, check, environment))
        failures = 0 if healthy else failures + 1
        if not healthy and task.healthy is None and asyncio.get_running_loop().time() - began <= grace:
            failures = 0
        elif not (healthy and task.healthy):
            task.healthy = healthy
            tell("REASON_TASK_HEALTH_CHECK_STATUS_UPDATED")
        if failures >= limit:
            await end()
            return
        await asyncio.sleep(float(check.get("interval_seconds", INTERVAL_SECONDS)))


async def _timed(task: RunningTask, check: Json, environment: Json) -> Json:
    """Make one check; return what it found, nothing where it could not be made in time."""
    try:
        async with asyncio.timeout(float(check.get("timeout_seconds", TIMEOUT_SECONDS))):
            match check["type"]:
                case "COMMAND":
                    return {"exit_code": await _command(task, check["command"], environment)}
                case "TCP":
                    return {"succeeded": await _connects(int(check["tcp"]["port"]))}
                case _:
                    return {"status_code": await _status_code(check["http"])}
    except (TimeoutError, OSError, aiohttp.ClientError):
        return {}


def _succeeded(found: Json) -> bool:
    return found.get("exit_code") == 0 or found.get("succeeded", False) or found.get("status_code") in HTTP_HEALTHY


async def _command(task: RunningTask, check: Json, environment: Json) -> int:
    # A check's command is wrapped once more in a CommandInfo than a health check's.
    program, arguments = command_of(check.get("command", check))
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments[1:],
        cwd=task.sandbox,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.kill()
        raise


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


async def _status_code(check: Json) -> int:
    url = f"{check.get('scheme', 'http')}://{LOOPBACK}:{check['port']}{check.get('path', '')}"
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False, ssl=False) as answer:
        return answer.status
