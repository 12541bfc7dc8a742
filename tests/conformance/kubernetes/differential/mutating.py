"""Mutations of JSON values: what may go wrong in a body, by chance."""

import copy
from random import Random
from typing import Any

Json = dict[str, Any]
Place = tuple[str | int, ...]
# What the server writes, and what says which object it is: mutated on purpose only.
_LEFT = frozenset(("managedFields", "uid", "resourceVersion", "creationTimestamp", "generation", "name", "namespace"))
_ODD: tuple[Any, ...] = (
    *(None, "", "x", 0, 1, -1, 1.5, True, False, [], {}, [1], ["a"], [None], {"a": 1}, {"a": None}),
    *("x" * 64, "x" * 300, "a/b", "Ä", "1Gi", "10", 2**31, 2**40, 2**63, 1e30, 3.0, "A B", "-", "a..b", " "),
)
_KEYS = ("extra", "a.b/c", "x y", "", "Name", "x" * 70, "spec", "-a")
_LABELS: tuple[tuple[str, Any], ...] = (
    *(("app", "db"), ("statefuldb.dev/database", "orders"), ("app", "web"), ("tier", ""), ("tier", "x" * 63)),
    *(("tier", "x" * 64), ("bad key", "v"), ("app", "bad value!"), ("a/b/c", "v"), ("/x", "v"), ("app", None)),
    *(("app", 1), ("Up.Case/Key", "v"), ("x" * 64, "v"), ("statefuldb.dev/", "v"), ("app", True)),
)
_FINALIZERS = ("statefuldb.dev/keep", "example.dev/x", "kubernetes", "noslash", "bad one", "a/b/c", "orphan", "")


def _odd(rng: Random) -> Any:
    """Return something odd, which nothing else holds: what is made of it later would be in other bodies too."""
    return copy.deepcopy(rng.choice(_ODD))


def places(value: Any, at: Place = ()) -> list[Place]:
    """Return where something is in a value, in an order that does not depend on chance."""
    found: list[Place] = [at] if at else []
    if isinstance(value, dict):
        for name in sorted(value):
            if not (at == ("metadata",) and name in _LEFT) and not (at == () and name in ("apiVersion", "kind")):
                found += places(value[name], (*at, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*at, index))
    return found


def at(value: Any, place: Place) -> Any:
    """Return what is at a place."""
    for step in place:
        value = value[step]
    return value


def mutated(rng: Random, body: Any, *, wild: float = 0.5) -> Any:
    """Return a copy with a few things changed; `wild` is how many of these are odd, from 0 to 1."""
    changed = copy.deepcopy(body)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if rng.random() < wild:
            _mutate(rng, changed)
        else:
            _decorate(rng, changed)
    return changed


def _mutate(rng: Random, body: Any) -> None:
    found = places(body)
    if not found:
        return
    place = rng.choice(found)
    holder, last = at(body, place[:-1]), place[-1]
    match rng.randrange(8):
        case 0:
            del holder[last]
        case 1 | 2 | 3:
            holder[last] = _odd(rng)
        case 4 if isinstance(holder, dict):
            holder[rng.choice(_KEYS)] = _odd(rng)
        case 5 if isinstance(holder, list):
            holder.append(copy.deepcopy(rng.choice(holder)))
        case 6 if isinstance(holder[last], str):
            holder[last] += rng.choice(["x", "-", " ", "/", "x" * 60, "."])
        case 7 if isinstance(holder[last], int) and not isinstance(holder[last], bool):
            holder[last] += rng.choice([1, -1, 100, -100])
        case _ if isinstance(holder, list):
            rng.shuffle(holder)
        case _:
            holder[rng.choice(_KEYS)] = _odd(rng)


def _decorate(rng: Random, body: Json) -> None:
    """Change metadata, mostly in ways that are allowed."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return
    field = rng.choice(["labels", "labels", "annotations", "finalizers", "ownerReferences"])
    if field in ("labels", "annotations"):
        held = metadata.setdefault(field, {})
        key, value = rng.choice(_LABELS if rng.random() < 0.4 else _LABELS[:5])
        if isinstance(held, dict):
            held[key] = value
    elif field == "finalizers":
        held = metadata.setdefault(field, [])
        if isinstance(held, list):
            held.append(rng.choice(_FINALIZERS if rng.random() < 0.3 else _FINALIZERS[:2]))
    else:
        owner: Json = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": f"u{rng.randint(1, 2)}"}
        owner |= rng.choice([{}, {"controller": True}, {"blockOwnerDeletion": True}, {"extra": 1}])
        if rng.random() < 0.2:
            del owner[rng.choice(sorted(owner))]
        held = metadata.setdefault(field, [])
        if isinstance(held, list):
            held.append(owner)
