"""What goes wrong, how often, and how often it did: a run in which a kind of fault never fired is no evidence for it.

Two sorts: what befalls a single request of the operator (asked for at each of them), and what befalls the world (a
strike now and then, see `strikes.py`). All is over once `cease` was called.

In some worlds few kinds of strikes happen, each as often as any other, so that what is rare meets what is rare (Groce,
Zhang, Eide, Chen, Regehr: Swarm Testing, ISSTA 2012).

Each fault of a run has a name. With `kept` only those happen, and nothing else of the seed changes: so a run that fails
can be had with fewer and fewer of them (`shrink.py`).
"""

from typing import TYPE_CHECKING

from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.machine import Killed
from statefuldb.simulation.life import Network
from statefuldb.simulation.size import Size
from statefuldb.simulation.strikes import RARE_WEIGHT, RESTORE, STRIKE_WEIGHTS, TURNED_AWAY, Strikes

if TYPE_CHECKING:
    from statefuldb.simulation.world import World

# How likely each is at one request.
REQUEST_RATES = {
    "operator killed before an effect": 0.004,
    "operator killed after an effect": 0.004,
    "request lost": 0.01,
    "answer lost": 0.01,
    "API server overloaded": 0.01,
    "stale cache (409)": 0.01,
    "slow request": 0.03,
}
KINDS = (*REQUEST_RATES, *STRIKE_WEIGHTS, RESTORE, TURNED_AWAY)
PAUSE_SECONDS = 10.0
SLOW_SECONDS = (0.1, 3.0)


class Paced(Network):
    """A network on which a request takes up to so many seconds, and nothing goes wrong."""

    def __init__(self, dice: Dice, latency_seconds: float) -> None:
        self._amounts = dice
        self._latency_seconds = latency_seconds

    def latency(self) -> float:
        """Return how long a request takes."""
        return self._amounts.between(0.001, self._latency_seconds)


class Faults(Paced):
    """The faults of one run. `counts` says how often each kind fired, `fired` names each."""

    def __init__(self, dice: Dice, kept: frozenset[str] | None, size: Size) -> None:
        self._at_requests, amounts, self._strikes = dice.fork(), dice.fork(), dice.fork()
        super().__init__(amounts, size.latency_seconds)
        self._kept = kept
        self._active = True
        self._asked = 0
        self._struck = 0
        self._kinds = _kinds_of(dice.fork(), size)
        self.counts = dict.fromkeys(KINDS, 0)
        self.fired: list[str] = []

    def begin(self, world: "World") -> None:
        """Let something go wrong now and then from now on."""
        strikes = Strikes(world)

        def strike() -> None:
            if self._active:
                # All is drawn here, whatever is kept and whatever can be done: the strikes to come stay the same.
                kind, agent = self._strikes.pick(self._kinds), self._strikes.pick(world.agents)
                dice, pause = self._strikes.fork(), self._strikes.between(0.1, 2.0) * PAUSE_SECONDS
                self._struck += 1
                name = f"strike {self._struck}: {kind}"
                if self._may(name) and strikes.strike(kind, agent, dice):
                    self._note(kind, name)
                world.schedule.after(pause, strike)

        world.schedule.after(self._strikes.between(0.1, 2.0) * PAUSE_SECONDS, strike)

    def cease(self) -> None:
        """Let nothing more go wrong; what has, ends as it would have."""
        self._active = False

    def before(self, what: str) -> None:
        """Kill the operator, or lose the request. Raises Killed, OSError."""
        if self._fires("operator killed before an effect"):
            raise Killed
        if self._fires("request lost"):
            raise OSError("connection reset")

    def after(self, what: str) -> None:
        """Kill the operator before it hears, or lose the answer. Raises Killed, OSError."""
        if self._fires("operator killed after an effect"):
            raise Killed
        if self._fires("answer lost"):
            raise OSError("connection reset")

    def answer(self, what: str) -> int | None:
        """Answer in place of the API server."""
        if self._fires("API server overloaded"):
            return self._amounts.pick((429, 500, 503))
        if what.startswith(("PUT", "PATCH")) and self._fires("stale cache (409)"):
            return 409
        return None

    def latency(self) -> float:
        """Return how long a request takes."""
        if self._fires("slow request"):
            return self._amounts.between(*SLOW_SECONDS)
        return super().latency()

    def _fires(self, kind: str) -> bool:
        self._asked += 1
        if not self._at_requests.happens(REQUEST_RATES[kind]) or not self._active:
            return False
        name = f"request {self._asked}: {kind}"
        if not self._may(name):
            return False
        self._note(kind, name)
        return True

    def _may(self, name: str) -> bool:
        return self._kept is None or name in self._kept

    def _note(self, kind: str, name: str) -> None:
        self.counts[kind] += 1
        self.fired.append(name)


def _kinds_of(dice: Dice, size: Size) -> list[str]:
    """Return so many kinds of strikes, each once; all kinds, each as often as it weighs, where that is 0."""
    how_many = size.kinds_of_strikes
    rare = [RESTORE] * size.restores + [TURNED_AWAY] * size.turns_away
    if not how_many:
        return [*(kind for kind, weight in STRIKE_WEIGHTS.items() for _ in range(weight)), *RARE_WEIGHT * rare]
    left = list(STRIKE_WEIGHTS)
    return [*(left.pop(dice.below(len(left))) for _ in range(how_many)), *rare]
