"""Agents: what they can do, what they offer, and the flags that data and clean stops depend on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from statefuldb.planning.checkup.findings import Finding, Verdict, judged, merged, seconds_of

WHERE = "Mesos agents"
GRACE_SECONDS = 60.0
NEEDED = ("MULTI_ROLE", "RESERVATION_REFINEMENT")
FEEDBACK = ("AGENT_OPERATION_FEEDBACK", "RESOURCE_PROVIDER")
RESOURCES = ("cpus", "mem", "disk", "ports")
VOLATILE = ("/tmp", "/run", "/var/run", "/dev/shm", "/var/tmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """A registered agent. `flags` is None where the agent does not show them."""

    hostname: str
    active: bool
    capabilities: frozenset[str]
    resources: frozenset[str]
    attributes: Mapping[str, str]
    flags: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mount that databases on DFS need: the attribute that advertises it, with its value."""

    attribute: str
    value: str


def agent_findings(agents: Sequence[AgentFacts], mounts: Sequence[Mount]) -> list[Finding]:
    """Return everything about the agents; what is the same of several is said once."""
    if not agents:
        return [judged(WHERE, "no agent is registered", False, "start one: mesos-agent --master=...")]
    found = [finding for agent in agents for finding in (*_abilities(agent), *_flags(agent))]
    return [*merged(found), _names(agents), *(_mount(agents, mount) for mount in dict.fromkeys(mounts))]


def _abilities(agent: AgentFacts) -> list[Finding]:
    lacking = [name for name in NEEDED if name not in agent.capabilities]
    missing = [name for name in RESOURCES if name not in agent.resources]
    return [
        judged(agent.hostname, "active" if agent.active else "not active", agent.active, "is it being drained?"),
        judged(
            agent.hostname,
            f"lacks {', '.join(lacking)}" if lacking else ", ".join(NEEDED),
            not lacking,
            "Mesos 1.8 or later",
        ),
        judged(
            agent.hostname,
            "tells what became of operations" if agent.capabilities >= set(FEEDBACK) else "tells nothing of operations",
            agent.capabilities >= set(FEEDBACK),
            "Mesos 1.8 or later; before, a refused operation is only seen by what is offered next",
            otherwise=Verdict.WARN,
        ),
        judged(
            agent.hostname,
            "volumes can grow" if "RESIZE_VOLUME" in agent.capabilities else "volumes cannot grow",
            "RESIZE_VOLUME" in agent.capabilities,
            "Mesos 1.6 or later; until then a larger spec.storage.size waits",
            otherwise=Verdict.WARN,
        ),
        judged(
            agent.hostname,
            f"offers no {', '.join(missing)}" if missing else f"offers {', '.join(RESOURCES)}",
            not missing,
            "name them in --resources",
            setting="--resources",
        ),
    ]


def _flags(agent: AgentFacts) -> list[Finding]:
    flags = agent.flags
    if flags is None:
        what = "the flags are not shown"
        remedy = "let the principal view_flags, or compare them with docs/mesos.md by hand"
        return [Finding(where=agent.hostname, what=what, verdict=Verdict.UNKNOWN, remedy=remedy)]
    grace = seconds_of(flags.get("executor_shutdown_grace_period", "5secs")) or 0.0
    work_dir, isolation = flags.get("work_dir", ""), flags.get("isolation", "")
    kept = not any(f"{work_dir}/".startswith(f"{folder}/") for folder in VOLATILE)
    limits = "cgroups/cpu" in isolation and "cgroups/mem" in isolation
    return [
        judged(
            agent.hostname,
            "work_dir outlives a reboot" if kept else f"work_dir {work_dir} may not outlive a reboot",
            kept,
            "--work_dir on storage that is kept: volumes and checkpoints lie there",
            setting="--work_dir",
            otherwise=Verdict.WARN,
        ),
        judged(
            agent.hostname,
            f"a stop by the agent itself may take {grace:g} s",
            grace >= GRACE_SECONDS,
            "--executor_shutdown_grace_period=60secs: a server that is killed earlier recovers at its next start",
            setting="--executor_shutdown_grace_period",
            otherwise=Verdict.WARN,
        ),
        judged(
            agent.hostname,
            "cpu and memory are limited" if limits else "cpu and memory are not limited",
            limits,
            "--isolation=cgroups/cpu,cgroups/mem,... : without, one task can starve all others",
            setting="--isolation",
            otherwise=Verdict.WARN,
        ),
        judged(
            agent.hostname,
            "takes its tasks up again after a restart",
            flags.get("recover", "reconnect") == "reconnect",
            "--recover=reconnect, else a restart of the agent ends every database on it",
            setting="--recover",
        ),
    ]


def _names(agents: Sequence[AgentFacts]) -> Finding:
    times = Counter(agent.hostname for agent in agents)
    twice = sorted(name for name, count in times.items() if count > 1)
    what = f"several agents have the host name {', '.join(twice)}" if twice else "each agent has a host name of its own"
    remedy = "--hostname, another one for each: where data lies is told by it"
    return judged(WHERE, what, not twice, remedy, setting="--hostname")


def _mount(agents: Sequence[AgentFacts], mount: Mount) -> Finding:
    having = [agent.hostname for agent in agents if agent.attributes.get(mount.attribute) == mount.value]
    named = f"{mount.attribute}:{mount.value}"
    what = f"{named} is advertised by {', '.join(having) or 'no agent'}"
    remedy = f"--attributes={named} on {'two agents or more' if having else 'each agent'} that has the mount"
    otherwise = Verdict.WARN if having else Verdict.AMISS
    return judged(WHERE, what, len(having) > 1, remedy, setting="--attributes", otherwise=otherwise)
