"""A dictionary that also finds its values by what they belong to, so that nobody has to walk through all of them."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_NONE: Mapping[object, object] = MappingProxyType({})


class Grouped(MutableMapping[K, V]):
    """Values by key, and by each of the groups that `groups_of` names for them. Every step costs the same at any size.

    A value must not change its groups while it is held. Not safe for use by several threads.
    """

    def __init__(self, groups_of: Callable[[K, V], Iterable[Hashable]]) -> None:
        self._groups_of = groups_of
        self._values: dict[K, V] = {}
        self._groups: dict[Hashable, dict[K, V]] = {}

    def of(self, group: Hashable) -> Mapping[K, V]:
        """Return what belongs to a group, in the order in which it came. Not to be kept over a change."""
        found: Mapping[K, V] = self._groups.get(group, _NONE)  # type: ignore[arg-type]
        return found

    def __getitem__(self, key: K) -> V:
        return self._values[key]

    def __setitem__(self, key: K, value: V) -> None:
        if key in self._values:
            del self[key]
        self._values[key] = value
        for group in self._groups_of(key, value):
            self._groups.setdefault(group, {})[key] = value

    def __delitem__(self, key: K) -> None:
        value = self._values.pop(key)
        for group in self._groups_of(key, value):
            held = self._groups.get(group)
            if held is not None:
                held.pop(key, None)
                if not held:
                    del self._groups[group]

    def __iter__(self) -> Iterator[K]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
