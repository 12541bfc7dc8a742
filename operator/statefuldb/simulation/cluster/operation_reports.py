"""What an agent says of how operations ended: again and again, where the framework gave an id, until it is heard."""

from collections.abc import Callable
from typing import Any

from statefuldb.simulation.clockwork.schedule import Schedule

Json = dict[str, Any]
RESEND_FIRST_SECONDS, RESEND_LIMIT_SECONDS = 10.0, 600.0


class OperationReports:
    """The reports that are not acknowledged yet, by the operation's uuid: `held`. `say` sends one if it can be sent."""

    def __init__(self, schedule: Schedule, say: Callable[[Json], None], fresh_uuid: Callable[[], str]) -> None:
        self._schedule = schedule
        self._tell = say
        self._fresh_uuid = fresh_uuid
        self.held: dict[str, Json] = {}

    def make(self, message: Json, state: str, agent_id: str) -> None:
        """Say how the operation that `message` orders has ended on this agent."""
        operation = message["operation"]
        status = {"state": state, "uuid": {"value": self._fresh_uuid()}, "agent_id": {"value": agent_id}}
        report = {
            "type": "OPERATION_UPDATE",
            "uuid_of": message["uuid"],
            "framework_id": message["framework_id"],
            "operation": operation,
            "status": status,
        }
        if "id" not in operation:
            self._tell(report)
            return
        status["operation_id"] = operation["id"]
        self.held[message["uuid"]] = report
        self._repeat(message["uuid"], RESEND_FIRST_SECONDS)

    def _repeat(self, uuid: str, pause_seconds: float) -> None:
        if uuid in self.held:
            self._tell(self.held[uuid])
            again = min(RESEND_LIMIT_SECONDS, pause_seconds * 2)
            self._schedule.after(pause_seconds, lambda: self._repeat(uuid, again))
