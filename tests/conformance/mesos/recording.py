"""What a client saw in one test, normalised, so that two masters can be compared.

Ids, times and facts of agents are normalised. Nothing else is, but for what HTTP and Mesos leave to chance: events of
different tasks and operations may overtake each other, so each has a list of its own; resources in a list have no
order; offers are recorded where a test uses them, as their number and time are the allocator's business, and so is
which of them are withdrawn.
"""

import difflib
import json
import re
from typing import Any

Json = dict[str, Any]

BY_CHANCE = ("HEARTBEAT", "OFFERS", "RESCIND", "INVERSE_OFFERS", "RESCIND_INVERSE_OFFER")
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
VARIABLE = {
    "uuid": "UUID",
    "timestamp": "TIME",
    "executor_pid": "PID",
    "nanoseconds": "TIME",
    "hostname": "HOST",
    "ip": "IP",
    "ip_address": "IP",
    "port": "PORT",
}
PATTERNS = (
    (re.compile(rf"{UUID}-O\d+"), "OFFER"),
    (re.compile(rf"{UUID}-\d{{4}}"), "FRAMEWORK"),
    (re.compile(rf"({UUID}-S\d+) at slave\(\d+\)@[\d.]+:\d+ \([^)]*\)"), r"\1 at ADDRESS"),
    (re.compile(r"/[\w./-]*/mesos-(?:embedded|real)\d+/"), "FOLDER/"),
    (re.compile(r"/\S*/test_\w*\d/(?=[\w.-]+[;'\" ])"), "FOLDER/"),
    (re.compile(r"(slave\(\d+\)|master)@[\d.]+:\d+"), "ADDRESS"),
)
AGENT = re.compile(rf"{UUID}-S\d+")
RESOURCE_LISTS = ("resources", "volumes", "total_resources")
SEPARATED = re.compile(r"(?:\w+(?:\([^;]*?\))*(?:\[[^\]]*\])?:(?:\[[^\]]*\]|[\d.-]+)(?:; )?){2,}")


class Recording:
    """One test's exchange with one master: its calls in order, and what it was told, by whom it concerns."""

    def __init__(self) -> None:
        self.calls: list[Json] = []
        self.told: dict[str, list[Json]] = {}
        self._agents: dict[str, str] = {}

    def call(self, body: Any, status: int, text: str) -> None:
        """Note a call and its answer."""
        self.calls.append({"call": self._clean(body), "status": status, "answer": self._clean(text)})

    def event(self, event: Json) -> None:
        """Note an event."""
        kind = event.get("type", "")
        if kind in BY_CHANCE:
            return
        if kind == "UPDATE":
            about = f"task {event['update']['status']['task_id']['value']}"
        elif kind == "UPDATE_OPERATION_STATUS":
            about = f"operation {event['update_operation_status']['status'].get('operation_id', {}).get('value')}"
        else:
            about = kind
        said = self.told.setdefault(about, [])
        cleaned = self._clean(event)
        # What is not acknowledged in time comes again; how often is a matter of load.
        if not said or said[-1] != cleaned or kind not in ("UPDATE", "UPDATE_OPERATION_STATUS"):
            said.append(cleaned)

    def seen(self, what: str, content: Any) -> None:
        """Note an offer, or anything else that a test looked at."""
        self.told.setdefault(what, []).append(self._clean(content))

    def text(self) -> list[str]:
        """Return it in lines."""
        content = {"calls": self.calls, "told": dict(sorted(self.told.items()))}
        return json.dumps(content, indent=1, sort_keys=True).splitlines()

    @property
    def steps(self) -> int:
        """How many calls and events it holds."""
        return len(self.calls) + sum(len(events) for events in self.told.values())

    def _clean(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {
                name: VARIABLE[name] if name in VARIABLE and inner != {} else self._clean(inner, name)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            cleaned = [self._clean(inner) for inner in value]
            if key in RESOURCE_LISTS:
                cleaned.sort(key=lambda one: json.dumps(one, sort_keys=True))
            return cleaned
        return self._text(value) if isinstance(value, str) else value

    def _text(self, value: str) -> str:
        for pattern, name in PATTERNS:
            value = pattern.sub(name, value)
        value = AGENT.sub(lambda found: self._agents.setdefault(found[0], f"AGENT{len(self._agents)}"), value)
        value = re.sub(UUID, "UUID", value)
        return SEPARATED.sub(lambda found: "; ".join(sorted(found[0].strip("; ").split("; "))) + " ", value).strip()


def differences(one: Recording, other: Recording, names: tuple[str, str]) -> str:
    """Return the difference of two recordings as a unified diff; empty where there is none."""
    return "\n".join(difflib.unified_diff(one.text(), other.text(), *names, lineterm="", n=4))
