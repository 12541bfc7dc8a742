"""Each crash, each stale read and each unseen event of one life, one at a time (Sieve, OSDI 2022).

The points of a life are counted by living it once undisturbed; then it is lived once for each of them, disturbed there
and nowhere else. All laws must hold, and each step must come to the same state as in the life that was not disturbed.
"""

import multiprocessing
from collections import Counter
from dataclasses import dataclass
from typing import Any

from statefuldb.local.api_server.objects.store import Change
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.serving.requests import parse_path
from statefuldb.simulation.actors.people import STRATEGIES
from statefuldb.simulation.clockwork.machine import Killed
from statefuldb.simulation.cluster.api import ApiServer
from statefuldb.simulation.life import Network
from statefuldb.simulation.runs.course import SIZE, go_through
from statefuldb.simulation.runs.run import judged
from statefuldb.simulation.world import World

Json = dict[str, Any]
Kinds = dict[tuple[str, str, str], Kind]
Address = tuple[str, str, str]
SEED = 1
KINDS = (
    "killed before an effect",
    "killed after an effect",
    "effect lost",
    "answer lost",
    "read as it was before",
    "watch event unseen",
    "stream cut before an event",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The `number`th (from 1) chance for a kind of disturbance in a life of one strategy."""

    strategy: str
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.strategy}/{self.kind}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Read what `str` wrote. Raises ValueError."""
        strategy, kind, number = text.split("/")
        if strategy not in STRATEGIES or kind not in KINDS:
            raise ValueError(f"{text}: wanted STRATEGY/KIND/NUMBER with one of {STRATEGIES} and one of {KINDS}")
        return cls(strategy=strategy, kind=kind, number=int(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a life. `at` is what was disturbed, empty where the life had no such point."""

    point: Point | None
    at: str
    broken: str
    points: dict[str, int]
    states: list[tuple[str, Json]]
    story: str
    details: str


class Disturbance(Network):
    """Disturbs one point, and counts all of them."""

    def __init__(self, point: Point | None) -> None:
        self._point = point
        self._kinds: Kinds = {}
        self._last: dict[Address, Change] = {}
        self.counts: Counter[str] = Counter()
        self.at = ""

    def watch(self, api: ApiServer) -> None:
        """Remember from now on what each object was before its last change."""
        self._kinds = api.store.kinds

        def changed(change: Change) -> None:
            self._last[change.address] = change

        api.listen(changed)

    def before(self, what: str) -> None:
        """Kill the operator, or lose the request. Raises Killed, OSError."""
        if self._is_it("killed before an effect", what):
            raise Killed
        if self._is_it("effect lost", what):
            raise OSError("connection reset")

    def after(self, what: str) -> None:
        """Kill the operator before it hears, or lose the answer. Raises Killed, OSError."""
        if self._is_it("killed after an effect", what):
            raise Killed
        if self._is_it("answer lost", what):
            raise OSError("connection reset")

    def read(self, path: str, answer: tuple[int, Any]) -> tuple[int, Any]:
        """Answer with what was there before the last change of what is asked for."""
        target = parse_path(path.partition("?")[0], self._kinds)
        if target is None or answer[0] not in (200, 404):
            return answer
        asked = [
            change
            for (key, namespace, name), change in self._last.items()
            if key == target.kind.key and namespace == (target.namespace or namespace) and name == (target.name or name)
        ]
        if not asked or not self._is_it("read as it was before", f"GET {path}"):
            return answer
        last = max(asked, key=lambda change: change.version)
        if target.name:
            missing = (404, {"kind": "Status", "reason": "NotFound", "message": f"{target.name} not found"})
            return missing if last.previous is None else (200, last.previous)
        others = [item for item in answer[1]["items"] if item["metadata"]["uid"] != last.object["metadata"]["uid"]]
        return 200, {**answer[1], "items": [*others, *([last.previous] if last.previous is not None else [])]}

    def unseen(self, what: str) -> bool:
        """Leave what kopf was to tell untold."""
        return self._is_it("watch event unseen", what)

    def cut(self, what: str) -> bool:
        """Break the stream off."""
        return self._is_it("stream cut before an event", what)

    def _is_it(self, kind: str, what: str) -> bool:
        self.counts[kind] += 1
        found = self._point is not None and self._point.kind == kind and self._point.number == self.counts[kind]
        if found:
            self.at = what
        return found


def undisturbed(strategy: str) -> Outcome:
    """Live one life of a strategy to be compared with; its `points` say how many there are of each kind."""
    return _live(strategy, None)


def disturbed(point: Point) -> Outcome:
    """Live a life disturbed at one point. The same point is the same life each time."""
    return _live(point.strategy, point)


def _live(strategy: str, point: Point | None) -> Outcome:
    network = Disturbance(point)
    world = World(SEED, SIZE, faulty=False, network=network)
    network.watch(world.api)
    states: list[tuple[str, Json]] = []
    with judged(world):
        states.extend(go_through(world, strategy))
    return Outcome(
        point=point,
        at=network.at,
        broken=str(world.verdict.broken or ""),
        points=dict(network.counts),
        states=states,
        story=world.story.text(),
        details=world.story.text(details=True),
    )


def points_of(reference: Outcome, strategy: str, stride: int = 1) -> list[Point]:
    """Return the points at which a life can be disturbed: of each kind the first, and every `stride`th after it."""
    return [
        Point(strategy=strategy, kind=kind, number=number)
        for kind in KINDS
        for number in range(1, reference.points.get(kind, 0) + 1, stride)
    ]


def problem_of(outcome: Outcome, reference: Outcome) -> str:
    """Say what is wrong with a disturbed life: the law that it broke, or where it came to something else."""
    if outcome.broken:
        return outcome.broken
    if not outcome.at:
        return "the point was never reached"
    for (step, state), (_, wanted) in zip(outcome.states, reference.states, strict=True):
        if state != wanted:
            return f"after {step} there is {state}, undisturbed {wanted}"
    return ""


@dataclass(slots=True)
class Sifted:
    """What became of all points: each with what was disturbed there, and what is wrong, empty where nothing is."""

    lives: list[tuple[Point, str, str]]

    @property
    def failed(self) -> list[tuple[Point, str, str]]:
        """The points where something is wrong."""
        return [life for life in self.lives if life[2]]

    def data(self) -> list[Json]:
        """Return what programs read: every point."""
        return [{"point": str(point), "at": at, "problem": problem} for point, at, problem in self.lives]

    def table(self) -> str:
        """Return the table that people read."""
        counts = Counter((point.strategy, point.kind) for point, _, _ in self.lives)
        lines = [f"{'':<28} {'  '.join(STRATEGIES)}"]
        for kind in KINDS:
            row = "  ".join(f"{counts[strategy, kind]:>{len(strategy)}}" for strategy in STRATEGIES)
            lines.append(f"{kind:<28} {row}")
        return "\n".join([*lines, f"{len(self.lives)} points, each once; {len(self.failed)} failed"])


def sift(stride: int = 1, processes: int = 1) -> Sifted:
    """Disturb one life of each strategy at every point, or at every `stride`th of each kind."""
    references = {strategy: undisturbed(strategy) for strategy in STRATEGIES}
    points = [point for strategy in STRATEGIES for point in points_of(references[strategy], strategy, stride)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        outcomes = pool.imap(disturbed, points)
        return Sifted(
            [
                (point, outcome.at, problem_of(outcome, references[point.strategy]))
                for point, outcome in zip(points, outcomes, strict=True)
            ]
        )
