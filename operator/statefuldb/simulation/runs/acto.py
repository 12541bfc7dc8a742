"""Every field of every manifest changed, alone and in pairs, and changed back (Acto, SOSP 2023).

A change ends in one of ENDINGS, and says why; a value that the schema forbids is refused. What is refused or waits
leaves what runs as it was, and writes nothing more. Changed back, all is as if it had never been changed.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from statefuldb.local.api_server.changes.patches import merge_patch
from statefuldb.simulation.actors.people import NAMESPACE, PATH, Wanted
from statefuldb.simulation.runs.course import NAME, SIZE, go_through, state_of
from statefuldb.simulation.runs.fields import fields
from statefuldb.simulation.runs.run import judged
from statefuldb.simulation.world import World

Json = dict[str, Any]
SEED = 1
PROFILE = "all"
PROFILES = "/apis/statefuldb.dev/v1alpha1/storageprofiles"
KINDS = ("StatefulDatabase", "StorageProfile")
ENDINGS = ("refused by the API server", "refused by the operator", "as asked", "waits")
# A member on a shared file system is moved to agents as they are wanted now; where there is none it waits.
MOVES = frozenset(
    {
        "placement.attributes[].name",
        "placement.attributes[].value",
        "storage.dfs.agentAttribute.name",
        "storage.dfs.agentAttribute.value",
    }
)
SETTLE_SECONDS = 300.0
# Longer than a stopped member waits for room before it is launched as it was.
STEADY_SECONDS = 20.0
CALM_SECONDS = 30.0
SHOWN = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A merge patch of the spec of one object, which sets these fields. `bad` where it must be refused."""

    kind: str
    paths: tuple[str, ...]
    patch: Json
    bad: bool = False

    def __str__(self) -> str:
        shown = json.dumps(self.patch)
        return f"{self.kind} {shown if len(shown) <= SHOWN else shown[:SHOWN] + '...'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a change ended and why, and what was wrong with that, empty where nothing was."""

    change: Change
    how: str
    why: str
    problem: str = ""


def single(kind: str) -> list[Change]:
    """Return every field of a kind with every value to try, one at a time."""
    return [
        Change(kind=kind, paths=(field.path,), patch=field.patch(value), bad=bad)
        for field in fields(kind)
        for bad, values in ((False, field.good), (True, field.bad))
        for value in values
    ]


def pairs(endings: Iterable[Ending]) -> list[Change]:
    """Return two fields at a time: of each field the last value that ended in each way but the API server's refusal."""
    by_field: dict[str, dict[str, Change]] = {}
    for ending in endings:
        if ending.how != ENDINGS[0]:
            by_field.setdefault(ending.change.paths[0], {})[ending.how] = ending.change
    return [
        Change(kind=one.kind, paths=one.paths + other.paths, patch=merge_patch(one.patch, other.patch))
        for ones, others in itertools.combinations(by_field.values(), 2)
        for one in ones.values()
        for other in others.values()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """What became of all changes of a database of one strategy."""

    strategy: str
    endings: list[Ending]

    @property
    def failed(self) -> list[Ending]:
        """Those with which something is wrong."""
        return [ending for ending in self.endings if ending.problem]

    def table(self) -> str:
        """Return the lines that people read."""
        singles = [ending for ending in self.endings if len(ending.change.paths) == 1]
        covered = {(ending.change.kind, ending.change.paths[0]) for ending in singles}
        there = sum(len(fields(kind)) for kind in KINDS)
        counts = Counter(ending.how for ending in self.endings)
        ended = ", ".join(f"{counts[how]} {how}" for how in ENDINGS)
        return (
            f"{self.strategy}: {len(covered)} of {there} fields, {len(singles)} changes of one field and "
            f"{len(self.endings) - len(singles)} of two; {ended}; {len(self.failed)} failed"
        )


def explore(strategy: str) -> Explored:
    """Make every change of one field of every kind, and of two fields of a database, and undo it."""
    alone = list(carry_out(strategy, single(KINDS[0])))
    bounded = list(carry_out(strategy, single(KINDS[1])))
    return Explored(strategy=strategy, endings=[*alone, *bounded, *carry_out(strategy, pairs(alone))])


def carry_out(strategy: str, changes: Iterable[Change]) -> Iterator[Ending]:
    """Make changes one after the other, each undone before the next; in a new world where that is not possible."""
    subject: Subject | None = None
    for change in changes:
        subject = subject if subject is not None and not subject.spoiled else Subject(strategy)
        yield subject.change(change)


class Subject:
    """A database that is Ready, with a profile that allows it everything."""

    def __init__(self, strategy: str) -> None:
        self.world = World(SEED, SIZE, faulty=False)
        self.spoiled = False
        self._profile = {"namespaces": {"names": [NAMESPACE]}}
        metadata = {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StorageProfile", "metadata": {"name": PROFILE}}
        self.world.api.exchange("POST", PROFILES, {**metadata, "spec": self._profile})
        next(go_through(self.world, strategy, ("apply",)))
        self._usual = state_of(self.world)

    def change(self, change: Change) -> Ending:
        """Make one change, and undo it."""
        how, why, problem = "", "", ""
        with judged(self.world):
            how, why, problem = self._change(change)
        broken = self.world.verdict.broken
        if broken is not None or problem:
            self.spoiled = True
        return Ending(change=change, how=how, why=why, problem=str(broken or problem))

    def _change(self, change: Change) -> tuple[str, str, str]:
        plural, namespace, name = _place(change.kind)
        stored = self.world.api.find(plural, namespace, name)
        assert stored is not None
        before = stored["spec"]
        status, answer = self._patch(change.kind, change.patch)
        if status >= 300:
            said = str(answer.get("message", ""))
            return ENDINGS[0], said, "" if status in (403, 409, 422) and said else f"{status}: {said}"
        how, why = self._settle()
        problem = self._unlike(change, how, why) or self._restless(how)
        if problem:
            return how, why, problem
        status, answer = self._patch(change.kind, _back(change.patch, before))
        if status >= 300:
            return how, why, f"it cannot be taken back: {answer.get('message')}"
        back, reason = self._settle()
        if back == ENDINGS[1] and "never shrinks" in reason:
            self.spoiled = True
            return how, why, ""
        after = self.world.api.find(plural, namespace, name)
        if back != ENDINGS[2] or after is None or after["spec"] != before:
            return how, why, f"taken back, it {back}: {reason}"
        now = state_of(self.world)
        return how, why, "" if now == self._usual else f"taken back, there is {now} in place of {self._usual}"

    def _patch(self, kind: str, spec: Json) -> tuple[int, Any]:
        path = f"{PATH}/{NAME}" if kind == "StatefulDatabase" else f"{PROFILES}/{PROFILE}"
        status, answer = self.world.api.exchange("PATCH", path, {"spec": spec}, "application/merge-patch+json")
        stored = self._database()
        self.world.people.wanted[NAME] = Wanted(NAME, stored["spec"], self.world.schedule.now)
        return status, answer

    def _unlike(self, change: Change, how: str, why: str) -> str:
        """Say what is wrong with how a change ended."""
        if how not in ENDINGS:
            return f"stuck: {why}"
        if change.bad and how != ENDINGS[1]:
            return f"the value is forbidden, and {how}"
        now = state_of(self.world)
        if how == ENDINGS[1] and now != self._usual:
            return f"{how}, and yet there is {now} in place of {self._usual}"
        if how == ENDINGS[3] and now["running"] < self._usual["running"] and not MOVES & {*change.paths}:
            return f"{how}, and does not run"
        return ""

    def _restless(self, how: str) -> str:
        store = self.world.api.store
        version = store.version
        self.world.pass_by(CALM_SECONDS)
        written = ["/".join(change.address) for change in store.history if change.version > version]
        return f"{how}, and within {CALM_SECONDS:g} s after that {', '.join(written)} written" if written else ""

    def _settle(self) -> tuple[str, str]:
        """Wait until what is said of the present generation stays the same for a while, and return it."""
        until = self.world.schedule.now + SETTLE_SECONDS
        said, since = ("", ""), 0.0
        while self.world.schedule.now < until and (not said[0] or self.world.schedule.now - since < STEADY_SECONDS):
            self.world.pass_by(1.0)
            now = self._said()
            if now != said:
                said, since = now, self.world.schedule.now
        return said if said[0] else ("stuck", str(self._database().get("status", {}).get("conditions")))

    def _said(self) -> tuple[str, str]:
        """Return what the status says became of the last change, or nothing while it says nothing of it."""
        stored = self._database()
        status, generation = stored.get("status", {}), stored["metadata"]["generation"]
        conditions = {condition["type"]: condition for condition in status.get("conditions", [])}
        accepted, ready = conditions.get("Accepted", {}), conditions.get("Ready", {})
        if {accepted.get("observedGeneration"), ready.get("observedGeneration")} != {generation}:
            return "", ""
        if accepted["status"] == "False":
            return ENDINGS[1], f"{accepted['reason']}: {accepted['message']}"
        if ready["status"] == "True" or ready["reason"] == "Paused":
            return ENDINGS[2], ready["reason"]
        waits = [f"{wait['reason']}: {wait['message']}" for wait in status.get("plan", {}).get("waiting", [])]
        return (ENDINGS[3], "; ".join(waits)) if waits else ("", "")

    def _database(self) -> Json:
        stored = self.world.api.find("statefuldatabases", NAMESPACE, NAME)
        assert stored is not None
        return stored


def _place(kind: str) -> tuple[str, str, str]:
    return ("statefuldatabases", NAMESPACE, NAME) if kind == "StatefulDatabase" else ("storageprofiles", "", PROFILE)


def _back(patch: Any, spec: Any) -> Any:
    """Return the merge patch that takes what `patch` changed back to `spec`."""
    if not isinstance(patch, dict) or not isinstance(spec, dict):
        return spec
    return {key: _back(value, spec.get(key)) for key, value in patch.items()}
