"""Access control lists: who may do what (Mesos docs, authorization; authorization.cpp of the master).

Of each action the first rule that speaks of both who asks and what about decides; where none does, `permissive` does.
The master's own words for a denial name the object as JSON, fields in the order of the protocol. Judged are the actions
of frameworks and those on agents' resources, frameworks and agents by the operator API; what may be seen is not.
"""

import json
from collections.abc import Iterable
from typing import Any

from statefuldb.local.mesos.resources import operations

Json = dict[str, Any]

# The action in the master's words, its rules, and what their object is.
ACTIONS = {
    "RESERVE": ("RESERVE_RESOURCES", "reserve_resources", "roles"),
    "UNRESERVE": ("UNRESERVE_RESOURCES", "unreserve_resources", "reserver_principals"),
    "CREATE": ("CREATE_VOLUME", "create_volumes", "roles"),
    "DESTROY": ("DESTROY_VOLUME", "destroy_volumes", "creator_principals"),
    "GROW_VOLUME": ("RESIZE_VOLUME", "resize_volumes", "roles"),
    "SHRINK_VOLUME": ("RESIZE_VOLUME", "resize_volumes", "roles"),
}
FIELDS = (
    *("key", "value", "resource", "id", "provider_id", "name", "type", "scalar", "ranges", "allocation_info", "role"),
    *("reservations", "principal", "labels", "disk", "persistence", "volume", "source", "mode", "container_path"),
)


class Acls:
    """The rules of one master; without any, everything is allowed."""

    def __init__(self, rules: Json | None = None) -> None:
        self._rules = rules or {}

    def allow(self, rules: str, objects: str, principal: str | None, *values: str | None) -> bool:
        """Say whether `principal` may do what `rules` are about to all of `values`; None stands for any."""
        for rule in self._rules.get(rules, []):
            subject, thing = rule.get("principals", {}), rule.get(objects, {})
            if _matches(subject, [principal]) and _matches(thing, values):
                return _allows(subject, [principal]) and _allows(thing, values)
        return bool(self._rules.get("permissive", True))

    def denied_operation(self, operation: Json, principal: str | None) -> str | None:
        """Return what an operation is denied for, in the master's words, or None."""
        action, rules, objects = ACTIONS[operation["type"]]
        for value, resource in _objects(operation, objects):
            if not self.allow(rules, objects, principal, value):
                return f"perform action {action} on {_object(value, resource)}"
        return None

    def denied_launch(self, info: Json, framework: Json) -> str | None:
        """Return what a launch is denied for, or None."""
        user = info.get("command", {}).get("user", framework["user"])
        if self.allow("run_tasks", "users", framework.get("principal"), user):
            return None
        task, owner = info["task_id"]["value"], framework["id"]["value"]
        return f"launch task {task} of framework {owner} under user '{user}'"

    def denied_framework(self, info: Json) -> str | None:
        """Return what a subscription is denied for, or None."""
        roles = info.get("roles") or [info.get("role", "*")]
        if self.allow("register_frameworks", "roles", info.get("principal"), *roles):
            return None
        return f"register framework {info.get('id', {}).get('value', '')} with roles {{ {', '.join(sorted(roles))} }}"


def _matches(rule: Json, values: Iterable[str | None]) -> bool:
    """Say whether a rule speaks of any of the values."""
    if rule.get("type") in ("ANY", "NONE"):
        return True
    return any(value in rule.get("values", []) for value in values)


def _allows(rule: Json, values: Iterable[str | None]) -> bool:
    """Say whether a rule allows all of the values."""
    if rule.get("type") in ("ANY", "NONE"):
        return bool(rule["type"] == "ANY")
    return all(value in rule.get("values", []) for value in values)


def _objects(operation: Json, objects: str) -> list[tuple[str | None, Json | None]]:
    """Return what an operation is about: of each role one resource, or each resource with its principal."""
    kind = operation["type"]
    resources = (
        [operation[kind.lower()]["volume"]] if kind in operations.RESIZING else operations.resources_of(operation)
    )
    if objects == "roles":
        by_role: dict[str, Json] = {}
        for one in resources:
            by_role.setdefault(one["reservations"][-1]["role"] if one.get("reservations") else "*", one)
        return list(by_role.items())
    if objects == "creator_principals":
        return [(one["disk"]["persistence"].get("principal", ""), one) for one in resources]
    named = [(one["reservations"][-1]["principal"], one) for one in resources if "principal" in one["reservations"][-1]]
    return named if len(named) == len(resources) else [*named, (None, None)]


def _object(value: str | None, resource: Json | None) -> str:
    if resource is None:
        return "ANY object"
    return f"object {json.dumps(_ordered({'value': value, 'resource': resource}), separators=(',', ':'))}"


def _ordered(value: Any) -> Any:
    """Return a message as the master writes it: known fields in their order, scalars as floats."""
    if isinstance(value, list):
        return [_ordered(one) for one in value]
    if not isinstance(value, dict):
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return {name: _ordered(value[name]) for name in FIELDS if name in value}
