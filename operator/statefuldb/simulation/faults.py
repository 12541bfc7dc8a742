"""What goes wrong, how often, and how often it did: a run in which a kind of fault never fired is no evidence for it.

Two sorts: what befalls a single request of the operator (asked for at each of them), and what befalls the world (one
now and then, each with its end). All is over once `cease` was called.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from statefuldb.simulation.dice import Dice
from statefuldb.simulation.life import Network
from statefuldb.simulation.machine import Killed

if TYPE_CHECKING:
    from statefuldb.simulation.agent import Agent
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
# How likely each is when something befalls the world.
WORLD_WEIGHTS = {
    "engine crash": 4,
    "keeper killed": 2,
    "keeper hung": 1,
    "watch broken": 4,
    "offers rescinded": 4,
    "framework disconnected": 3,
    "operator killed at rest": 2,
    "master fail-over": 2,
    "agent killed": 3,
    "host rebooted": 2,
    "host rebooted, agent under another id": 1,
    "network cut for a moment": 3,
    "network cut until unreachable": 1,
    "status updates lost": 3,
    "status updates twice": 3,
}
KINDS = (*REQUEST_RATES, *WORLD_WEIGHTS)
PAUSE_SECONDS = 12.0
SHORT_SECONDS = (5.0, 60.0)
LONG_SECONDS = (80.0, 150.0)
SLOW_SECONDS = (0.1, 3.0)
UPDATES = 3


class Faults(Network):
    """The faults of one run. `counts` says how often each kind fired."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._active = True
        self._acts: list[str] = [kind for kind, weight in WORLD_WEIGHTS.items() for _ in range(weight)]
        self.counts = dict.fromkeys(KINDS, 0)

    def begin(self, world: "World") -> None:
        """Let something go wrong now and then from now on."""

        def strike() -> None:
            if self._active:
                self._strike(world, self._dice.pick(self._acts))
                world.schedule.after(self._dice.between(0.1, 2.0) * PAUSE_SECONDS, strike)

        world.schedule.after(self._dice.between(0.1, 2.0) * PAUSE_SECONDS, strike)

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
            return self._dice.pick((429, 500, 503))
        if what.startswith(("PUT", "PATCH")) and self._fires("stale cache (409)"):
            return 409
        return None

    def latency(self) -> float:
        """Return how long a request takes."""
        if self._fires("slow request"):
            return self._dice.between(*SLOW_SECONDS)
        return self._dice.between(0.001, 0.01)

    def _fires(self, kind: str) -> bool:
        fires = self._active and self._dice.happens(REQUEST_RATES[kind])
        if fires:
            self.counts[kind] += 1
        return fires

    def _strike(self, world: "World", kind: str) -> None:
        agent = self._dice.pick(world.agents)
        strike: Callable[[], bool] = {
            "engine crash": lambda: self._keeper(agent, lambda keeper: keeper.crash()),
            "keeper killed": lambda: self._keeper(agent, lambda keeper: keeper.crash(-9)),
            "keeper hung": lambda: self._hang(world, agent),
            "watch broken": lambda: self._break_watch(world),
            "offers rescinded": lambda: world.mesos.rescind(agent.id),
            "framework disconnected": world.mesos.drop_frameworks,
            "operator killed at rest": lambda: self._kill_operator(world),
            "master fail-over": lambda: self._fail_over(world),
            "agent killed": lambda: self._stop(world, agent, agent.die),
            "host rebooted": lambda: self._stop(world, agent, agent.lose_power),
            "host rebooted, agent under another id": lambda: self._stop(world, agent, agent.lose_power_and_id),
            "network cut for a moment": lambda: agent.cut_off(self._dice.between(*SHORT_SECONDS)),
            "network cut until unreachable": lambda: agent.cut_off(self._dice.between(*LONG_SECONDS)),
            "status updates lost": lambda: world.mesos.mistreat(lost=UPDATES),
            "status updates twice": lambda: world.mesos.mistreat(twice=UPDATES),
        }[kind]
        if strike():
            self.counts[kind] += 1
            about = agent.host.hostname if kind.split()[0] in ("engine", "keeper", "agent", "host", "network") else ""
            world.story.tell("fault", f"{kind} {about}".rstrip())

    def _keeper(self, agent: "Agent", befall: Callable[..., None]) -> bool:
        running = list(agent.host.keepers.values())
        if not running:
            return False
        befall(self._dice.pick(running))
        return True

    def _hang(self, world: "World", agent: "Agent") -> bool:
        def hang(keeper: object) -> None:
            keeper.hung = True  # type: ignore[attr-defined]
            world.schedule.after(self._dice.between(*SHORT_SECONDS), lambda: setattr(keeper, "hung", False))

        return self._keeper(agent, hang)

    def _break_watch(self, world: "World") -> bool:
        if world.life is None:
            return False
        world.life.lose_watch(self._dice.between(0.5, 20.0))
        return True

    def _kill_operator(self, world: "World") -> bool:
        if world.life is None or not world.life.alive:
            return False
        world.life.kill()
        return True

    def _fail_over(self, world: "World") -> bool:
        if not world.mesos.up:
            return False
        world.mesos.fail_over(self._dice.between(0.5, 20.0))
        return True

    def _stop(self, world: "World", agent: "Agent", stop: Callable[[], None]) -> bool:
        if not agent.reachable:
            return False
        stop()
        world.schedule.after(self._dice.between(*SHORT_SECONDS), agent.boot)
        return True
