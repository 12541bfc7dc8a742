"""What befalls the world: each kind of strike, what it does, and how it ends. Whatever is broken here mends in time."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from statefuldb.simulation.actors.rival_framework import RivalFramework
from statefuldb.simulation.clockwork.dice import Dice

if TYPE_CHECKING:
    from statefuldb.simulation.cluster.agent import Agent
    from statefuldb.simulation.cluster.keeper import Keeper
    from statefuldb.simulation.world import World

# How likely each is when something befalls the world.
STRIKE_WEIGHTS = {
    "engine crash": 4,
    "keeper killed": 2,
    "keeper hung": 1,
    "watch broken": 4,
    "offers rescinded": 4,
    "framework disconnected": 3,
    "framework removed by its fail-over time-out": 1,
    "another framework takes offers": 2,
    "operator killed at rest": 2,
    "two operators at once": 2,
    "operator's clock wrong": 2,
    "master fail-over": 2,
    "agent killed": 3,
    "agent marked gone by mistake": 1,
    "orders to an agent lost": 3,
    "host rebooted": 2,
    "host rebooted, agent under another id": 1,
    "network cut for a moment": 3,
    "network cut until unreachable": 1,
    "status updates lost": 3,
    "status updates twice": 3,
    "disk full": 2,
    "shared file system away": 2,
    "shared file system slow": 2,
    "claim file lost": 1,
}
# Only in worlds that say so (`Size`): as likely there as the likeliest, or as any other where few happen.
RESTORE, TURNED_AWAY = "API restored from a backup", "API turns the operator away"
RARE_WEIGHT = 4
OUR_KINDS = ("statefuldatabases", "databasevolumes")
SHORT_SECONDS = (5.0, 60.0)
LONG_SECONDS = (80.0, 150.0)
SKEW_SECONDS = 3600.0
UPDATES = 3


class Strikes:
    """All that can befall one world."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def strike(self, kind: str, agent: "Agent", dice: Dice) -> bool:
        """Let something befall the world, an agent where it is about one; say whether it could."""
        world, host = self._world, agent.host
        short, long = dice.between(*SHORT_SECONDS), dice.between(*LONG_SECONDS)
        strike: Callable[[], bool] = {
            "engine crash": lambda: self._keeper(agent, dice, lambda keeper: keeper.crash()),
            "keeper killed": lambda: self._keeper(agent, dice, lambda keeper: keeper.crash(-9)),
            "keeper hung": lambda: self._keeper(agent, dice, lambda keeper: keeper.silence.begin(short)),
            "watch broken": lambda: self._operator(lambda life: life.lose_watch(dice.between(0.5, 20.0))),
            "offers rescinded": lambda: world.mesos.rescind(agent.id),
            "framework disconnected": world.mesos.drop_frameworks,
            "framework removed by its fail-over time-out": lambda: self._remove_framework(short),
            "another framework takes offers": lambda: self._steal(short, dice),
            "operator killed at rest": lambda: self._operator(lambda life: life.kill()),
            "two operators at once": lambda: world.start_second_operator(short),
            "operator's clock wrong": lambda: self._skew(dice.between(-1.0, 1.0) * SKEW_SECONDS, long),
            "master fail-over": lambda: world.mesos.up and self._does(world.mesos.fail_over, short / 3),
            "agent killed": lambda: self._stop(agent, agent.die, short),
            "agent marked gone by mistake": lambda: self._mark_gone(agent, dice),
            "orders to an agent lost": lambda: world.mesos.lose_orders(agent.id, short / 6),
            "host rebooted": lambda: self._stop(agent, agent.lose_power, short),
            "host rebooted, agent under another id": lambda: self._stop(agent, agent.lose_power_and_id, short),
            "network cut for a moment": lambda: agent.cut_off(short),
            "network cut until unreachable": lambda: agent.cut_off(long),
            "status updates lost": lambda: world.mesos.mistreat(lost=UPDATES),
            "status updates twice": lambda: world.mesos.mistreat(twice=UPDATES),
            "disk full": lambda: host.fill(short),
            "shared file system away": lambda: world.shared.go_away(short),
            "shared file system slow": lambda: world.shared.slow_down(short),
            "claim file lost": lambda: self._lose_claim(dice),
            RESTORE: lambda: world.restorers.back_up(dice),
            TURNED_AWAY: lambda: world.api.turn_away(dice.pick((403, 404)), dice.pick(("", *OUR_KINDS)), short),
        }[kind]
        could = strike()
        if could:
            about = host.hostname if kind.split()[0] in ("engine", "keeper", "agent", "host", "network", "disk") else ""
            world.story.tell("fault", f"{kind} {about}".rstrip())
        return could

    @staticmethod
    def _does(act: Callable[[float], None], seconds: float) -> bool:
        act(seconds)
        return True

    def _keeper(self, agent: "Agent", dice: Dice, befall: Callable[["Keeper"], None]) -> bool:
        running = list(agent.host.keepers.values())
        if not running:
            return False
        befall(dice.pick(running))
        return True

    def _operator(self, befall: Callable[..., None]) -> bool:
        life = self._world.life
        if life is None or not life.alive:
            return False
        befall(life)
        return True

    def _stop(self, agent: "Agent", stop: Callable[[], None], seconds: float) -> bool:
        if not agent.reachable:
            return False
        stop()
        self._world.schedule.after(seconds, agent.boot)
        return True

    def _remove_framework(self, seconds: float) -> bool:
        """Let the framework's time run out; a person then does what the operator says is to be done."""
        if not self._world.mesos.remove_frameworks():
            return False
        self._world.schedule.after(seconds, self._world.begin_framework_anew)
        return True

    def _steal(self, seconds: float, dice: Dice) -> bool:
        if not self._world.mesos.up:
            return False
        rival = RivalFramework(self._world.mesos, dice)
        self._world.schedule.after(seconds, rival.leave)
        return True

    def _skew(self, seconds: float, lasts: float) -> bool:
        """Set the clock of the operator's machine wrong for a while."""
        world = self._world
        if world.skew:
            return False
        world.skew = seconds
        world.schedule.after(lasts, lambda: setattr(world, "skew", 0.0))
        return True

    def _mark_gone(self, agent: "Agent", dice: Dice) -> bool:
        """A person says of an agent that is only cut off that it never comes back."""
        gone = agent.id
        if gone is None or not self._world.mesos.up or not agent.cut_off(dice.between(*SHORT_SECONDS)):
            return False
        self._world.mesos.mark_gone(gone)
        return True

    def _lose_claim(self, dice: Dice) -> bool:
        """Remove a directory's claim file while its server runs."""
        world = self._world
        files = [world.shared, *(files for host in world.hosts for files in (host.disk, host.volumes))]
        held = [each for one in files for each in one.directories.values() if each.claim is not None]
        if not held:
            return False
        dice.pick(held).claim = None
        return True
