"""Mesos resources as a multiset, exact to three decimals (Mesos docs, attributes-resources).

A bag maps what a resource *is* (name, reservations, disk, without its amount) to how much of it there is: thousandths
for scalars, a set of numbers for ranges. Equal things merge, as in Mesos; `container_path` does not count as part of
what a volume is (resources.cpp, operator==).
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]
Amount = int | frozenset[int]


class InvalidResource(ValueError):
    """A resource that Mesos refuses, with its words."""


class Bag:
    """A multiset of resources. Values are never changed in place: every operation returns a new bag."""

    def __init__(
        self,
        amounts: Mapping[str, Amount] | None = None,
        volumes: Mapping[str, Json] | None = None,
    ) -> None:
        self._amounts = {k: v for k, v in (amounts or {}).items() if v}
        self._volumes = dict(volumes or {})

    @staticmethod
    def of(resources: Iterable[Json]) -> "Bag":
        """Return the bag of a list of resources in v1 JSON. Raises InvalidResource."""
        bag = Bag()
        for resource in resources:
            key, volume = _key(resource)
            bag = bag + Bag({key: _amount(resource)}, {key: volume} if volume else {})
        return bag

    def to_json(self, role: str | None = None) -> list[Json]:
        """Return the bag as v1 JSON, with `allocation_info` for `role`."""
        rendered = []
        for key, amount in self._amounts.items():
            resource: Json = json.loads(key)
            if isinstance(amount, int):
                resource["scalar"] = {"value": amount / 1000}
            else:
                spans = [{"begin": b, "end": e} for b, e in _spans(amount)]
                resource["ranges"] = {"range": spans}
            if key in self._volumes:
                resource["disk"]["volume"] = self._volumes[key]
            if role is not None:
                resource["allocation_info"] = {"role": role}
            rendered.append(resource)
        return rendered

    def __add__(self, other: "Bag") -> "Bag":
        amounts = dict(self._amounts)
        for key, amount in other._amounts.items():
            present = amounts.get(key)
            if isinstance(amount, int):
                amounts[key] = amount + (present if isinstance(present, int) else 0)
            else:
                amounts[key] = amount | (present if isinstance(present, frozenset) else frozenset())
        return Bag(amounts, {**self._volumes, **other._volumes})

    def __sub__(self, other: "Bag") -> "Bag":
        amounts = dict(self._amounts)
        for key, amount in other._amounts.items():
            present = amounts.get(key, 0 if isinstance(amount, int) else frozenset())
            if isinstance(amount, int) and isinstance(present, int):
                amounts[key] = max(0, present - amount)
            elif isinstance(amount, frozenset) and isinstance(present, frozenset):
                amounts[key] = present - amount
        return Bag(amounts, self._volumes)

    def contains(self, other: "Bag") -> bool:
        """Say whether `other` can be taken out of this bag."""
        for key, amount in other._amounts.items():
            present = self._amounts.get(key)
            if isinstance(amount, int):
                if not isinstance(present, int) or present < amount:
                    return False
            elif not isinstance(present, frozenset) or not amount <= present:
                return False
        return True

    def for_role(self, role: str) -> "Bag":
        """Return what a framework of `role` may be offered: what is unreserved, or reserved for it or a parent."""
        amounts = {}
        for key, amount in self._amounts.items():
            reservations = json.loads(key).get("reservations", [])
            owner = reservations[-1]["role"] if reservations else None
            if owner is None or role == owner or role.startswith(owner + "/"):
                amounts[key] = amount
        return Bag(amounts, self._volumes)

    def persistence_ids(self) -> set[tuple[str, str]]:
        """Return role and id of each persistent volume."""
        found = set()
        for key in self._amounts:
            resource = json.loads(key)
            persistence = resource.get("disk", {}).get("persistence")
            if persistence:
                found.add((resource["reservations"][-1]["role"], persistence["id"]))
        return found

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def __str__(self) -> str:
        return "; ".join(describe(r) for r in self.to_json()) or "{}"


def describe(resource: Json) -> str:
    """Return a resource the way Mesos writes one in messages."""
    notes = []
    if resource.get("reservations"):
        stack = ",".join(
            f"({r.get('type', 'DYNAMIC')},{r['role']}" + (f",{r['principal']}" if r.get("principal") else "") + ")"
            for r in resource["reservations"]
        )
        notes.append(f"reservations: [{stack}]")
    name = resource["name"] + (f"({', '.join(notes)})" if notes else "")
    persistence = resource.get("disk", {}).get("persistence")
    if persistence:
        path = resource["disk"].get("volume", {}).get("container_path", "")
        name += f"[{persistence['id']}:{path}]"
    if "scalar" in resource:
        return f"{name}:{resource['scalar']['value']:g}"
    spans = ", ".join(f"{s['begin']}-{s['end']}" for s in resource["ranges"]["range"])
    return f"{name}:[{spans}]"


def parse_flag(text: str) -> list[Json]:
    """Return the resources of an agent's `--resources` flag, in its simple form or as JSON."""
    if text.lstrip().startswith("["):
        return [_clean(resource) for resource in json.loads(text)]
    resources = []
    for item in filter(None, (part.strip() for part in text.split(";"))):
        match = re.fullmatch(r"(\w+)(?:\(([^)]*)\))?:(.+)", item)
        if match is None:
            raise InvalidResource(f"Failed to parse resource {item!r}")
        name, role, value = match.groups()
        resource: Json = {"name": name}
        if role and role != "*":
            resource["reservations"] = [{"type": "STATIC", "role": role}]
        if value.startswith("["):
            spans = re.findall(r"(\d+)-(\d+)", value)
            span = [{"begin": int(b), "end": int(e)} for b, e in spans]
            resource |= {"type": "RANGES", "ranges": {"range": span}}
        else:
            resource |= {"type": "SCALAR", "scalar": {"value": float(value)}}
        resources.append(resource)
    return resources


def _clean(resource: Json) -> Json:
    return {k: v for k, v in resource.items() if k not in ("allocation_info", "role")}


def _key(resource: Json) -> tuple[str, Json | None]:
    if "name" not in resource:
        raise InvalidResource("Expecting 'name' to be present")
    kept = {k: v for k, v in resource.items() if k in ("name", "type", "provider_id")}
    reservations = [
        {k: v for k, v in reservation.items() if v not in ("", None)}
        for reservation in resource.get("reservations", [])
    ]
    if reservations:
        kept["reservations"] = reservations
    volume = None
    if "disk" in resource:
        disk = dict(resource["disk"])
        volume = disk.pop("volume", None)
        if disk:
            kept["disk"] = disk
    kept.setdefault("type", "SCALAR" if "scalar" in resource else "RANGES")
    return json.dumps(kept, sort_keys=True), volume


def _amount(resource: Json) -> Amount:
    if "scalar" in resource:
        value = round(float(resource["scalar"]["value"]) * 1000)
        if value <= 0:
            raise InvalidResource("Invalid scalar resource: value <= 0")
        return value
    if "ranges" in resource:
        spans = resource["ranges"].get("range", [])
        return frozenset(n for span in spans for n in range(int(span["begin"]), int(span["end"]) + 1))
    raise InvalidResource(f"Invalid resource {resource['name']}: no value")


def _spans(numbers: frozenset[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans
