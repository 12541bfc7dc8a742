"""What one pass has to do: pure, from what the source says, what is stored, and what was applied before.

Pruning is the dangerous half, so every doubt keeps the object: a broken file that may hold it, a source that holds
nothing, a directory that may be half-written, protection, another owner.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from statefuldb.sync.inventory import Inventory, differences, digest_of, marked, owner_of
from statefuldb.sync.manifests import KINDS, Document, Identity, Manifests, Problem, problem_of
from statefuldb.sync.ports import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How one sync works. `owner` is what it writes on what it applies.

    `moved_from` is the source from which that was done before, where that was another one.
    """

    owner: str
    prune: bool = False
    allow_empty: bool = False
    moved_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A stored object that somebody else has changed; `paths` empty where it had been deleted."""

    identity: Identity
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.identity}: {', '.join(self.paths) or 'was deleted'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An object that the source no longer holds and that was not pruned, and why."""

    identity: Identity
    why: str

    def __str__(self) -> str:
        return f"{self.identity}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to apply, prune and forget, in order; what is kept and why; what others changed; what is wrong."""

    apply: tuple[Document, ...] = ()
    prune: tuple[Identity, ...] = ()
    forget: tuple[Identity, ...] = ()
    kept: tuple[Kept, ...] = ()
    drift: tuple[Drift, ...] = ()
    problems: tuple[Problem, ...] = ()


def decide(
    manifests: Manifests,
    live: Mapping[Identity, Json],
    inventory: Inventory,
    policy: Policy,
    missing_before: frozenset[Identity] | None,
) -> Decision:
    """Return what a pass has to do.

    `live` has every stored object that the source or the inventory names. `missing_before` are the objects that the
    pass before missed too, where a source must be seen twice to be believed; None where once is enough.
    """
    apply: list[Document] = []
    drift: list[Drift] = []
    problems = list(manifests.problems)
    for document in manifests.documents:
        stored = live.get(document.identity)
        wrong = _refused(stored, policy)
        if wrong:
            problems.append(problem_of(document, wrong))
            continue
        body = marked(document, policy.owner)
        entry = inventory.entries.get(document.identity)
        paths = differences(body, stored) if stored is not None else []
        as_before = entry is not None and entry.digest == digest_of(body)
        if as_before and (stored is None or paths):
            drift.append(Drift(identity=document.identity, paths=tuple(paths)))
        if stored is None or paths or not as_before or (entry is not None and entry.file != document.file):
            apply.append(document)
    prune, forget, kept = _pruning(manifests, live, inventory, policy, missing_before)
    return Decision(
        apply=tuple(apply),
        prune=tuple(prune),
        forget=tuple(forget),
        kept=tuple(kept),
        drift=tuple(drift),
        problems=tuple(problems),
    )


def missing(manifests: Manifests, inventory: Inventory) -> frozenset[Identity]:
    """Return the objects that were applied and that the source no longer speaks of."""
    return frozenset(inventory.entries) - manifests.known


def _refused(stored: Json | None, policy: Policy) -> str:
    """Say why a document is not applied onto what is stored; empty where it is."""
    if stored is None:
        return ""
    if "deletionTimestamp" in stored["metadata"]:
        return "is being deleted; it is applied once it is gone"
    if owner_of(stored) not in ("", policy.owner):
        return f"is applied by another sync, {owner_of(stored)}"
    return ""


def _pruning(
    manifests: Manifests,
    live: Mapping[Identity, Json],
    inventory: Inventory,
    policy: Policy,
    missing_before: frozenset[Identity] | None,
) -> tuple[list[Identity], list[Identity], list[Kept]]:
    prune, forget, kept = [], [], []
    for identity in sorted(missing(manifests, inventory)):
        stored = live.get(identity)
        if stored is None or owner_of(stored) != policy.owner:
            forget.append(identity)
            continue
        why = _doubt(manifests, identity, inventory.entries[identity].file, policy) or _held(identity, stored)
        if not why and missing_before is not None and identity not in missing_before:
            why = "is no longer in the directory; pruned if that is still so the next time"
        if not why and policy.moved_from:
            last = policy.moved_from
            why = (
                f"was applied under this name from {last}; pruned if this source is the one that is followed next, too"
            )
        if why:
            kept.append(Kept(identity=identity, why=why))
        else:
            prune.append(identity)
    return prune, forget, kept


def _doubt(manifests: Manifests, identity: Identity, file: str, policy: Policy) -> str:
    """Say why the source is no proof that an object is not wanted any more."""
    if not policy.prune:
        return "is no longer in the source, and pruning is off (--prune)"
    if not manifests.known and not policy.allow_empty:
        return "the source holds no manifest at all, which is taken for an accident (--allow-empty)"
    for path, text in manifests.broken.items():
        if text is None or path == file or re.search(rf"(?<![\w.-]){re.escape(identity.name)}(?![\w.-])", text):
            return f"may be in {path}, which is broken"
    return ""


def _held(identity: Identity, stored: Json) -> str:
    """Say why a stored object is not to be deleted."""
    if not KINDS[identity.kind].pruned:
        return f"a {identity.kind} is never pruned"
    if "deletionTimestamp" in stored["metadata"]:
        return "is being deleted"
    if identity.kind == "StatefulDatabase" and stored["spec"].get("deletionProtection", "Enabled") != "Disabled":
        return "is protected: commit spec.deletionProtection: Disabled first, then remove it"
    return ""
