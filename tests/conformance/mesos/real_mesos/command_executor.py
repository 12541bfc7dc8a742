#!/usr/bin/env python3
"""The command executor, which the egg does not carry: runs one command for the agent, over its v1 executor API.

It behaves as mesos-executor of Mesos 1.11 where a scheduler can see it: states and messages, kill with a grace period,
updates sent again until they are acknowledged, and re-subscription for the recovery time-out when the agent is gone.
"""

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

ACKNOWLEDGEMENT_SECONDS = 10.0
# The agent loses the last update of an executor that ends in the moment of its acknowledgement.
PARTING_SECONDS = 1.0
GRACE_SECONDS = 3.0
RECOVERY_SECONDS = 900.0


class Agent:
    """The agent's executor API, at the address that the agent put into our environment."""

    def __init__(self) -> None:
        self._endpoint = os.environ["MESOS_AGENT_ENDPOINT"]
        self._path = f"/{os.environ['MESOS_SLAVE_PID'].split('@')[0]}/api/v1/executor"
        self.executor_id = {"value": os.environ["MESOS_EXECUTOR_ID"]}
        self._framework_id = {"value": os.environ["MESOS_FRAMEWORK_ID"]}
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        token = os.environ.get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN")
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def _post(self, call: Json) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._endpoint)
        body = {**call, "framework_id": self._framework_id, "executor_id": self.executor_id}
        connection.request("POST", self._path, json.dumps(body), self._headers)
        return connection.getresponse()

    def update(self, status: Json) -> None:
        """Send one status update. Raises OSError while the agent is gone."""
        self._post({"type": "UPDATE", "update": {"status": status}}).read()

    def subscribe(self, tasks: list[Json], updates: list[Json]) -> Iterator[Json]:
        """Subscribe with what is not acknowledged yet; yield events until the stream ends. Raises OSError."""
        body = {"unacknowledged_tasks": tasks, "unacknowledged_updates": updates}
        stream = self._post({"type": "SUBSCRIBE", "subscribe": body})
        if stream.status != http.client.OK:
            raise OSError(stream.status, stream.read())
        while length := stream.readline():
            yield json.loads(stream.read(int(length)))


class Executor:
    """One command and what the agent has not acknowledged of it."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._lock = threading.Condition()
        self._task: Json | None = None
        self._given: Json | None = None
        self._updates: dict[str, Json] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def follow(self) -> None:
        """Take events until the command and its updates are done; give up when the agent stays away too long."""
        gone_since: float | None = None
        patience = RECOVERY_SECONDS if os.environ.get("MESOS_CHECKPOINT") == "1" else 0.0
        while gone_since is None or time.monotonic() - gone_since < patience:
            try:
                for event in self._agent.subscribe(*self._unacknowledged()):
                    gone_since = None
                    self._take(event)
            except OSError as error:
                sys.stderr.write(f"the agent is gone: {error}\n")
            gone_since = gone_since or time.monotonic()
            time.sleep(1.0)
        self._end(grace_seconds=0.0)
        os._exit(1)

    def _unacknowledged(self) -> tuple[list[Json], list[Json]]:
        with self._lock:
            return [self._task] if self._task else [], [{"status": status} for status in self._updates.values()]

    def _take(self, event: Json) -> None:
        match event["type"]:
            case "LAUNCH":
                self._task = self._given = event["launch"]["task"]
                threading.Thread(target=self._run, args=(self._task,), daemon=True).start()
            case "ACKNOWLEDGED":
                with self._lock:
                    self._task = None
                    self._updates.pop(event["acknowledged"]["uuid"], None)
                    self._lock.notify_all()
            case "KILL":
                self._end(self._grace_seconds(event["kill"]))
            case "SHUTDOWN":
                self._end(grace_seconds=0.0)
                os._exit(0)

    def _grace_seconds(self, kill: Json) -> float:
        task = self._given or {}
        policy = kill.get("kill_policy") or task.get("kill_policy") or {}
        return float(policy.get("grace_period", {}).get("nanoseconds", GRACE_SECONDS * 1e9)) / 1e9

    def _run(self, task: Json) -> None:
        self._update(task, "TASK_STARTING")
        try:
            self._process = start(task["command"])
        except OSError as error:
            self._update(task, "TASK_FAILED", str(error))
        else:
            self._update(task, "TASK_RUNNING")
            self._update(task, *self._outcome(self._process.wait()))
        with self._lock:
            self._lock.wait_for(lambda: not self._updates, ACKNOWLEDGEMENT_SECONDS)
        time.sleep(PARTING_SECONDS)
        os._exit(0)

    def _outcome(self, code: int) -> tuple[str, str]:
        state = "TASK_KILLED" if self._killed else "TASK_FINISHED" if code == 0 else "TASK_FAILED"
        if code < 0:
            return state, f"Command terminated with signal {signal.strsignal(-code) or -code}"
        return state, f"Command exited with status {code}"

    def _update(self, task: Json, state: str, message: str = "") -> None:
        status = {
            "task_id": task["task_id"],
            "state": state,
            "source": "SOURCE_EXECUTOR",
            "executor_id": self._agent.executor_id,
            "timestamp": time.time(),
            "uuid": base64.b64encode(uuid.uuid4().bytes).decode(),
        }
        if message:
            status["message"] = message
        with self._lock:
            self._updates[status["uuid"]] = status
        try:
            self._agent.update(status)
        except OSError as error:
            # It goes along with the next subscription.
            sys.stderr.write(f"update not sent: {error}\n")

    def _end(self, grace_seconds: float) -> None:
        self._killed = True
        process = self._process
        if process is None or process.poll() is not None:
            return
        if grace_seconds == 0.0:
            os.killpg(process.pid, signal.SIGKILL)
            return
        os.killpg(process.pid, signal.SIGTERM)
        threading.Timer(grace_seconds, self._end, args=(0.0,)).start()


def start(command: Json) -> subprocess.Popen[bytes]:
    """Start a CommandInfo in a session of its own, with its environment added to ours. Raises OSError."""
    variables = command.get("environment", {}).get("variables", [])
    environment = {**os.environ, **{each["name"]: each.get("value", "") for each in variables}}
    if command.get("shell", True):
        return subprocess.Popen(["sh", "-c", command["value"]], env=environment, start_new_session=True)
    arguments = command.get("arguments") or [command["value"]]
    return subprocess.Popen(arguments, executable=command["value"], env=environment, start_new_session=True)


if __name__ == "__main__":
    Executor(Agent()).follow()
