"""What was last seen of each object, own writes included.

A write is seen at once; a watch event that was on its way before it does not undo it. Resource versions of one resource
are compared as numbers, as Kubernetes allows (KEP-5504, comparable resource versions).
"""

import json
import threading
import zlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from statefuldb.model.grouped import Grouped

Json = dict[str, Any]
Name = tuple[str, str]
T = TypeVar("T")
LATELY = 32  # so many objects stay at hand
# What is gone is remembered: answers and lists that left the API before its end come after it, and of an API that was
# put back to an earlier state nothing else may tell.
GONE_REMEMBERED = 10_000
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True)
class _Held:
    """One object, as it is kept: as it came, or packed."""

    version: int
    groups: tuple[Hashable, ...]
    tallied: tuple[Hashable, ...]
    kept: Json | bytes

    @property
    def stored(self) -> Json:
        kept = self.kept
        return _read(kept) if isinstance(kept, bytes) else kept

    def pack(self) -> None:
        """Keep the object as compressed text. Who owns which field, half of it, is left out."""
        stored = self.stored
        metadata = {name: value for name, value in stored["metadata"].items() if name != "managedFields"}
        self.kept = zlib.compress(_encode({**stored, "metadata": metadata}).encode(), level=1)


@lru_cache(maxsize=LATELY)
def _read(text: bytes) -> Json:
    """Return an object, which must not be changed. One pass looks several times at the same few."""
    return dict(json.loads(zlib.decompress(text)))


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of an object, by what the API promises to tell it by."""

    address: tuple[str, ...]
    stored: Json = field(compare=False)

    @classmethod
    def of(cls, stored: Json) -> "_Version":
        metadata = stored["metadata"]
        return cls((*_name(stored), metadata.get("uid", ""), metadata.get("resourceVersion", "")), stored)


def remembering(read: Callable[[Json], T]) -> Callable[[Json], T]:
    """Return `read`, which does not read anew what it has read lately of this API server."""
    remembered = lru_cache(maxsize=LATELY)(lambda version: read(version.stored))
    return lambda stored: remembered(_Version.of(stored))


class Cache:
    """Objects of one kind by namespace and name, and by the groups that `groups_of` names for each, or else by name.

    What `tally_of` names for each is counted over all of them, as they come and go.
    With `compact` all but those that came last are kept as compressed text and read at each use, in some 10
    microseconds more: of thousands of objects few are looked at at a time, and as dictionaries they take some thirty
    times as much memory. Of more than `gone_limit` objects that are gone, those that went longest ago are forgotten.
    """

    def __init__(
        self,
        groups_of: Callable[[Json], Iterable[Hashable]] = lambda stored: (_name(stored),),
        *,
        tally_of: Callable[[Json], Iterable[Hashable]] = lambda _: (),
        compact: bool = False,
        gone_limit: int = GONE_REMEMBERED,
    ) -> None:
        self._lock = threading.Lock()
        self._groups_of = groups_of
        self._tally_of = tally_of
        self._tally: Counter[Hashable] = Counter()
        self._compact = compact
        self._objects: Grouped[Name, _Held] = Grouped(lambda _, held: held.groups)
        self._unpacked: OrderedDict[Name, _Held] = OrderedDict()
        self._gone: OrderedDict[Name, int] = OrderedDict()
        self._gone_limit = gone_limit
        self._latest = 0

    @property
    def latest(self) -> int:
        """The highest version that was ever taken in: what is asked for from now on is no older."""
        with self._lock:
            return self._latest

    def disproves(self, stored: Json, version: str) -> bool:
        """Say whether an object, as a list of `version` shows it, is older than it was known to be by then."""
        with self._lock:
            return version_of(stored) < self._known(_name(stored)) <= number_of(version)

    def put(self, stored: Json) -> bool:
        """Take in an object; return whether it is news."""
        name, version = _name(stored), version_of(stored)
        with self._lock:
            self._latest = max(self._latest, version)
            if version <= self._known(name):
                return False
            self._let_go(name)
            held = _Held(version, tuple(self._groups_of(stored)), tuple(self._tally_of(stored)), stored)
            self._objects[name] = held
            self._tally.update(held.tallied)
            if self._compact:
                self._unpacked[name] = held
                if len(self._unpacked) > LATELY:
                    self._unpacked.popitem(last=False)[1].pack()
            self._gone.pop(name, None)
            return True

    def remove(self, stored: Json) -> bool:
        """Take in that an object is gone; return whether it is news."""
        name, version = _name(stored), version_of(stored)
        with self._lock:
            held = self._objects.get(name)
            if held is not None and held.version > version:
                return False
            self._gone[name] = version
            self._gone.move_to_end(name)
            if len(self._gone) > self._gone_limit:
                self._gone.popitem(last=False)
            return self._let_go(name) is not None

    def refresh(self, name: Name, ask: Callable[[], Json | None]) -> bool:
        """Take in what `ask` returns of an object, None where it is gone; return whether it is news.

        One that is made, or told of, while the answer is on its way is no longer what was asked about, and stays.
        """
        with self._lock:
            held = self._objects.get(name)
        known = held.version if held is not None else -1
        stored = ask()
        return self.put(stored) if stored is not None else self.drop(name, known)

    def drop(self, name: Name, known: int) -> bool:
        """Forget an object that was found to be gone when its latest version was `known`; return whether it is news."""
        with self._lock:
            held = self._objects.get(name)
            return held is not None and held.version <= known and self._let_go(name) is not None

    def tally(self) -> Counter[Hashable]:
        """Return how many times each thing is named that is counted."""
        with self._lock:
            return +self._tally

    def get(self, name: Name) -> Json | None:
        """Return an object, or None."""
        with self._lock:
            held = self._objects.get(name)
        return held.stored if held is not None else None

    def all(self) -> list[Json]:
        """Return all objects in order of name."""
        with self._lock:
            held = [self._objects[name] for name in sorted(self._objects)]
        return [each.stored for each in held]

    def groups(self) -> set[Hashable]:
        """Return every group to which anything belongs."""
        with self._lock:
            return {group for held in self._objects.values() for group in held.groups}

    def of(self, group: Hashable) -> list[Json]:
        """Return the objects of a group in order of name."""
        with self._lock:
            found = self._objects.of(group)
            held = [found[name] for name in sorted(found)]
        return [each.stored for each in held]

    def names(self, group: Hashable) -> set[Name]:
        """Return the names of the objects of a group, without reading them."""
        with self._lock:
            return set(self._objects.of(group))

    def groups_beside(self, group: Hashable) -> set[Hashable]:
        """Return every group to which an object of a group belongs, without reading them."""
        with self._lock:
            return {each for held in self._objects.of(group).values() for each in held.groups}

    def replace_all(self, listed: Iterable[Json], version: str | None, changed: set[Hashable]) -> None:
        """Take in a complete list; add to `changed` the groups of what has changed or vanished, as it was and as it is.

        Also where the list breaks off: what it has shown by then is taken in, and is news to nobody later.
        `version` is that of the list: what was made after it is not in it, and has not vanished. None means that no
        such objects can be.
        """
        seen = set()
        for stored in listed:
            name = _name(stored)
            seen.add(name)
            before = self._groups(name)
            if self.put(stored):
                changed.update(before, self._groups(name))
        with self._lock:
            unseen = [name for name in self._objects if name not in seen]
            for name in [n for n in unseen if version is None or self._objects[n].version <= number_of(version)]:
                gone = self._let_go(name)
                changed.update(gone.groups if gone is not None else ())

    def _known(self, name: Name) -> int:
        """Return the latest version of an object, or of its end. Called with the lock held."""
        held = self._objects.get(name)
        return held.version if held is not None else self._gone.get(name, -1)

    def _let_go(self, name: Name) -> _Held | None:
        """Hold an object no longer. Called with the lock held."""
        held = self._objects.pop(name, None)
        self._unpacked.pop(name, None)
        if held is not None:
            self._tally.subtract(held.tallied)
        return held

    def _groups(self, name: Name) -> tuple[Hashable, ...]:
        with self._lock:
            held = self._objects.get(name)
        return held.groups if held is not None else ()


def _name(stored: Json) -> Name:
    metadata = stored["metadata"]
    return (metadata.get("namespace", ""), metadata["name"])


def version_of(stored: Json) -> int:
    """Return an object's resource version as a number."""
    return number_of(str(stored["metadata"].get("resourceVersion", "0")))


def number_of(version: str) -> int:
    """Return a resource version as a number, 0 where it is none."""
    return int(version) if version.isdigit() else 0
