"""All stored objects, found by address, kind and owner, and those that are being deleted: nothing walks through all."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]
Address = tuple[str, str, str]
_NONE: Mapping[Address, Json] = MappingProxyType({})


class StoredObjects(MutableMapping[Address, Json]):
    """Objects by address: kind, namespace, name. What an object says of itself must not change while it is held."""

    def __init__(self, objects: Mapping[Address, Json] = _NONE) -> None:
        self._all: dict[Address, Json] = {}
        self._by_kind: dict[str, dict[Address, Json]] = {}
        self._by_owner: dict[str, dict[Address, Json]] = {}
        self._dying: dict[Address, Json] = {}
        self.update(objects)

    def of_kind(self, key: str) -> Mapping[Address, Json]:
        """Return the objects of a kind. Not to be kept over a change."""
        return self._by_kind.get(key, _NONE)

    def of_owner(self, uid: str) -> Mapping[Address, Json]:
        """Return the objects that name an owner. Not to be kept over a change."""
        return self._by_owner.get(uid, _NONE)

    @property
    def dying(self) -> Mapping[Address, Json]:
        """The objects that are being deleted. Not to be kept over a change."""
        return self._dying

    def __getitem__(self, address: Address) -> Json:
        return self._all[address]

    def __contains__(self, address: object) -> bool:
        return address in self._all

    def __setitem__(self, address: Address, value: Json) -> None:
        before, owners = self._all.get(address), _owners(value)
        for uid in () if before is None else _owners(before):
            if uid not in owners:
                self._leave(self._by_owner, uid, address)
        self._all[address] = value
        self._by_kind.setdefault(address[0], {})[address] = value
        for uid in owners:
            self._by_owner.setdefault(uid, {})[address] = value
        if "deletionTimestamp" in value["metadata"]:
            self._dying[address] = value
        else:
            self._dying.pop(address, None)

    def __delitem__(self, address: Address) -> None:
        value = self._all.pop(address)
        self._leave(self._by_kind, address[0], address)
        for uid in _owners(value):
            self._leave(self._by_owner, uid, address)
        self._dying.pop(address, None)

    def __iter__(self) -> Iterator[Address]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @staticmethod
    def _leave(groups: dict[str, dict[Address, Json]], group: str, address: Address) -> None:
        held = groups.get(group, {})
        held.pop(address, None)
        if not held:
            groups.pop(group, None)


def _owners(value: Json) -> Iterable[str]:
    return [str(owner["uid"]) for owner in value["metadata"].get("ownerReferences") or ()]
