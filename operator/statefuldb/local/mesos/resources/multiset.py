"""Mesos resources as a multiset, exact to three decimals (Mesos docs, attributes-resources).

A bag maps what a resource *is* (name, reservations, disk, without its amount) to how much of it there is: thousandths
for scalars, a set of numbers for ranges. A scalar that nothing was added to or taken from is shown as it was written,
however many decimals that had. Equal things merge, as in Mesos; `container_path` does not count as part of
what a volume is (resources.cpp, operator==). Volumes and Mount disks are taken whole or not at all. A shared volume is
there once, however many hold it.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from statefuldb.local.mesos.resources.roles import is_below
from statefuldb.local.mesos.resources.text import describe_all

Json = dict[str, Any]
Amount = int | frozenset[int]


class InvalidResource(ValueError):
    """A resource that Mesos refuses, with its words."""


def thousandths(value: float) -> int:
    """Return a scalar in thousandths, half away from zero."""
    return int(math.copysign(math.floor(abs(value) * 1000 + 0.5), value))


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Bag:
    """A multiset of resources. Values are never changed in place: every operation returns a new bag."""

    def __init__(
        self,
        amounts: Mapping[str, Amount] = _NOTHING,
        volumes: Mapping[str, Json] = _NOTHING,
        written: Mapping[str, float] = _NOTHING,
    ) -> None:
        # Without amounts of zero. Bags share what they are made of, since none ever changes it.
        self._amounts = amounts
        self._volumes = volumes
        self._written = written

    @staticmethod
    def of(resources: Iterable[Json]) -> "Bag":
        """Return the bag of a list of resources in v1 JSON; amounts of zero vanish."""
        bag = Bag()
        for resource in resources:
            key, volume = _key(resource)
            amount = _amount(resource)
            if amount:
                written = {key: float(resource["scalar"]["value"])} if "scalar" in resource else {}
                bag = bag + Bag({key: amount}, {key: volume} if volume else {}, written)
        return bag

    def to_json(self, role: str | None = None) -> list[Json]:
        """Return the bag as v1 JSON, with `allocation_info` for `role`."""
        rendered = []
        for key, amount in self._amounts.items():
            resource = dict(_read(key))
            if isinstance(amount, int):
                resource["scalar"] = {"value": self._written.get(key, amount / 1000)}
            else:
                spans = [{"begin": b, "end": e} for b, e in _spans(amount)]
                resource["ranges"] = {"range": spans}
            if key in self._volumes:
                resource["disk"] = {**resource["disk"], "volume": self._volumes[key]}
            if role is not None:
                resource["allocation_info"] = {"role": role}
            rendered.append(resource)
        return rendered

    def text(self, role: str | None = None) -> str:
        """Return the bag as Mesos writes it, allocated to `role`."""
        return describe_all(self.to_json(role))

    def __add__(self, other: "Bag") -> "Bag":
        if not other:
            return self
        amounts = dict(self._amounts)
        for key, amount in other._amounts.items():
            present = amounts.get(key)
            if isinstance(amount, int):
                more = present if isinstance(present, int) else 0
                amounts[key] = max(amount, more) if _is_shared(key) else amount + more
            else:
                amounts[key] = amount | (present if isinstance(present, frozenset) else frozenset())
        written = {
            key: value
            for one, another in ((self, other), (other, self))
            for key, value in one._written.items()
            if key not in another._amounts
        }
        return Bag(amounts, {**self._volumes, **other._volumes}, written)

    def __sub__(self, other: "Bag") -> "Bag":
        if not other:
            return self
        amounts = dict(self._amounts)
        for key, amount in other._amounts.items():
            left = present = amounts.get(key)
            if isinstance(amount, int) and isinstance(present, int):
                left = max(0, present - amount)
            elif isinstance(amount, frozenset) and isinstance(present, frozenset):
                left = present - amount
            if left:
                amounts[key] = left
            else:
                amounts.pop(key, None)
        written = self._written
        if not written.keys().isdisjoint(other._amounts):
            written = {k: v for k, v in written.items() if k not in other._amounts}
        return Bag(amounts, self._volumes, written)

    def contains(self, other: "Bag") -> bool:
        """Say whether `other` can be taken out of this bag."""
        for key, amount in other._amounts.items():
            present = self._amounts.get(key)
            if isinstance(amount, int):
                if not isinstance(present, int) or present < amount or (present > amount and _whole_only(key)):
                    return False
            elif not isinstance(present, frozenset) or not amount <= present:
                return False
        return True

    def for_role(self, role: str) -> "Bag":
        """Return what a framework of `role` may be offered: what is unreserved, or reserved for it or a parent."""
        amounts = {}
        for key, amount in self._amounts.items():
            owner = _owner(key)
            if owner is None or role == owner or is_below(role, owner):
                amounts[key] = amount
        return Bag(amounts, self._volumes, self._written)

    def reserved(self, role: str | None) -> "Bag":
        """Return what is reserved for exactly this role; what is unreserved for None."""
        return Bag({k: v for k, v in self._amounts.items() if _owner(k) == role}, self._volumes, self._written)

    def reserved_within(self, role: str) -> "Bag":
        """Return what is reserved for a role or one below it."""
        kept = {k: v for k, v in self._amounts.items() if (_owner(k) or "").partition("/")[0] == role}
        return Bag(kept, self._volumes, self._written)

    def exclusive(self) -> "Bag":
        """Return the bag without shared volumes, which several may hold at once."""
        if not self._holds_shared:
            return self
        return Bag({k: v for k, v in self._amounts.items() if not _is_shared(k)}, self._volumes, self._written)

    @cached_property
    def _holds_shared(self) -> bool:
        return any(map(_is_shared, self._amounts))

    def scalars(self) -> dict[str, int]:
        """Return the thousandths of each kind of scalar."""
        found: dict[str, int] = {}
        for key, amount in self._amounts.items():
            if isinstance(amount, int):
                name = _read(key)["name"]
                found[name] = found.get(name, 0) + amount
        return found

    def limited(self, most: Mapping[str, int]) -> "Bag":
        """Return a part of the bag with no more than so many thousandths of each scalar that is named."""
        left, amounts = dict(most), dict(self._amounts)
        for key, amount in self._amounts.items():
            name = _read(key)["name"]
            if isinstance(amount, int) and name in left:
                taken = min(amount, max(0, left[name]))
                amounts[key] = taken if taken == amount or not _whole_only(key) else 0
                left[name] -= taken
        return Bag({key: amount for key, amount in amounts.items() if amount}, self._volumes)

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def __str__(self) -> str:
        return self.text()


@lru_cache(maxsize=16_384)
def _read(key: str) -> Json:
    """Return what a key says. Whoever changes it copies it."""
    found: Json = json.loads(key)
    return found


@lru_cache(maxsize=65_536)
def _owner(key: str) -> str | None:
    reservations = _read(key).get("reservations", [])
    return str(reservations[-1]["role"]) if reservations else None


def _is_shared(key: str) -> bool:
    # Only a field's name looks so: quotes within texts are escaped.
    return '"shared": ' in key


@lru_cache(maxsize=65_536)
def _whole_only(key: str) -> bool:
    disk = _read(key).get("disk", {})
    return "persistence" in disk or disk.get("source", {}).get("type") in ("MOUNT", "BLOCK")


def _key(resource: Json) -> tuple[str, Json | None]:
    kept = {k: v for k, v in resource.items() if k in ("name", "type", "provider_id", "shared")}
    if resource.get("reservations"):
        kept["reservations"] = resource["reservations"]
    volume = None
    if "disk" in resource:
        disk = dict(resource["disk"])
        volume = disk.pop("volume", None)
        if disk:
            kept["disk"] = disk
    return json.dumps(kept, sort_keys=True), volume


def _amount(resource: Json) -> Amount:
    if "scalar" in resource:
        return thousandths(float(resource["scalar"]["value"]))
    spans = resource.get("ranges", {}).get("range", [])
    return frozenset(n for span in spans for n in range(int(span["begin"]), int(span["end"]) + 1))


def _spans(numbers: frozenset[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans
