"""The Mesos master: version, leader, flags, who is in our role, quota, and our own framework."""

from collections.abc import Mapping
from dataclasses import dataclass

from statefuldb.planning.checkup import acls
from statefuldb.planning.checkup.findings import Asked, Finding, Verdict, judged, seconds_of
from statefuldb.planning.members.undecided_tasks import SILENCE_SECONDS
from statefuldb.planning.storage.holding import within

WHERE = acls.WHERE
OLDEST, NEWEST = (1, 8), (1, 11)
REREGISTER_SECONDS = 600.0
FAILOVER_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkFacts:
    """A registered framework, as GET_FRAMEWORKS tells. `cluster` is the UUID of its label, empty for others."""

    id: str
    name: str
    roles: tuple[str, ...]
    principal: str
    cluster: str
    connected: bool
    checkpoint: bool
    failover_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterFacts:
    """What a master says of itself. `flags` is None where it does not show them, and `blind` says why.

    `limits` are the role's quota by resource (cpus; mem and disk in MiB), None where that is not shown; `reserved` is
    what is reserved for the role, in the same units.
    """

    version: str
    leader: str
    flags: Mapping[str, str] | None
    blind: str
    frameworks: tuple[FrameworkFacts, ...]
    limits: Mapping[str, float] | None
    reserved: Mapping[str, float]


def master_findings(facts: MasterFacts, asked: Asked) -> list[Finding]:
    """Return everything about one master, in the order of `docs/mesos.md`."""
    version = tuple(int(part) for part in facts.version.split(".")[:2] if part.isdigit())
    findings = [
        judged(
            WHERE,
            f"{facts.leader} leads, Mesos {facts.version}",
            OLDEST <= version <= NEWEST,
            "statefuldb is made for Mesos 1.8 to 1.11",
            otherwise=Verdict.WARN if version > NEWEST else Verdict.AMISS,
        )
    ]
    if facts.flags is None:
        findings.append(
            Finding(
                where=WHERE,
                what=f"the flags are not shown: {facts.blind}",
                verdict=Verdict.UNKNOWN,
                remedy="let the principal view_flags, or compare them with docs/mesos.md by hand",
            )
        )
    else:
        findings += _flags(facts.flags, asked)
    return [*findings, *_role(facts, asked), *_framework(facts, asked)]


def _flags(flags: Mapping[str, str], asked: Asked) -> list[Finding]:
    roles = [role for role in flags.get("roles", "").split(",") if role]
    reregister = seconds_of(flags.get("agent_reregister_timeout", "10mins")) or 0.0
    pings = int(flags.get("max_agent_ping_timeouts", "5"))
    silent = (seconds_of(flags.get("agent_ping_timeout", "15secs")) or 0.0) * pings
    limit, listed = flags.get("agent_removal_rate_limit", ""), flags.get("acls")
    parsed = acls.parsed(listed) if listed else None
    findings = [
        judged(
            WHERE,
            f"role {asked.role} is allowed"
            if not roles or asked.role in roles
            else f"role {asked.role} is not in --roles",
            not roles or asked.role in roles,
            f"add {asked.role} to --roles, or leave that flag away",
            setting="--roles",
        ),
        judged(
            WHERE,
            f"frameworks may run tasks as {asked.user}",
            asked.user != "root" or flags.get("root_submissions", "true") == "true",
            "--root_submissions=true, or another --framework-user",
            setting="--root_submissions",
        ),
        *_authentication(flags, asked),
        judged(
            WHERE,
            f"an agent that does not answer is unreachable after {silent:g} s",
            silent <= SILENCE_SECONDS,
            "--agent_ping_timeout and --max_agent_ping_timeouts as they are by default, or less",
            setting="--agent_ping_timeout",
            otherwise=Verdict.WARN,
        ),
        judged(
            WHERE,
            f"agents that do not answer are removed at {limit} only" if limit else "no agent that is lost is kept",
            not limit,
            "leave --agent_removal_rate_limit away: whoever waits to be removed counts as registered",
            setting="--agent_removal_rate_limit",
            otherwise=Verdict.WARN,
        ),
        judged(
            WHERE,
            f"an agent that is away for {reregister:g} s is removed",
            reregister >= REREGISTER_SECONDS,
            "--agent_reregister_timeout=10mins or more",
            setting="--agent_reregister_timeout",
            otherwise=Verdict.WARN,
        ),
        judged(
            WHERE,
            "access control lists" if listed else "there are no access control lists",
            bool(listed),
            "without --acls any principal may unreserve our resources and destroy our volumes",
            setting="--acls",
            otherwise=Verdict.WARN,
        ),
    ]
    if parsed is not None:
        return [*findings, *acls.acl_findings(parsed, asked)]
    if listed:
        what = "the access control lists are shown in a form that is not understood"
        findings.append(Finding(where=WHERE, what=what, verdict=Verdict.UNKNOWN, remedy="compare with docs/mesos.md"))
    return findings


def _authentication(flags: Mapping[str, str], asked: Asked) -> list[Finding]:
    """Return what the master asks of whoever calls, against what is given."""
    findings = []
    for flag, who in (
        ("authenticate_http_frameworks", "frameworks"),
        ("authenticate_http_readwrite", "callers that change something"),
        ("authenticate_http_readonly", "callers that read"),
    ):
        wanted = flags.get(flag) == "true"
        if wanted and not asked.with_credentials:
            findings.append(
                judged(
                    WHERE,
                    f"{who} must prove who they are, and no credentials are given",
                    False,
                    "give --secret-file or --secret-name, here and to the operator",
                    setting=f"--{flag}",
                )
            )
        else:
            findings.append(
                judged(
                    WHERE,
                    f"{who} must prove who they are" if wanted else f"{who} need not prove who they are",
                    wanted or flag.endswith("readonly"),
                    f"--{flag}=true with --http_framework_authenticators=basic and --credentials",
                    setting=f"--{flag}",
                    otherwise=Verdict.WARN,
                )
            )
    proven = bool(flags.get("credentials")) or not asked.with_credentials
    what = "the master knows credentials" if flags.get("credentials") else "the master knows no credentials"
    findings.append(
        judged(WHERE, what, proven, "--credentials=FILE with the principal and its secret", setting="--credentials")
    )
    framework_asks = flags.get("authenticate_http_frameworks") == "true"
    by = flags.get("http_framework_authenticators", "")
    findings.append(
        judged(
            WHERE,
            f"frameworks are authenticated by {by or 'nothing'}",
            not framework_asks or "basic" in by,
            "--http_framework_authenticators=basic: the operator knows no other way",
            setting="--http_framework_authenticators",
        )
    )
    findings.append(
        judged(
            WHERE,
            _secrecy(asked),
            asked.with_tls or not asked.with_credentials,
            "LIBPROCESS_SSL_ENABLED=true on masters and agents, then --mesos-tls",
            setting="LIBPROCESS_SSL_ENABLED",
            otherwise=Verdict.WARN,
        )
    )
    return findings


def _secrecy(asked: Asked) -> str:
    if asked.with_tls:
        return "TLS"
    return "credentials travel in plain text" if asked.with_credentials else "no TLS, and no credentials to overhear"


def _role(facts: MasterFacts, asked: Asked) -> list[Finding]:
    others = sorted(
        f"{framework.name} ({framework.id})"
        for framework in facts.frameworks
        if framework.cluster != (asked.cluster or "-") and any(within(role, asked.role) for role in framework.roles)
    )
    findings = [
        judged(
            WHERE,
            f"role {asked.role} is shared with {', '.join(others)}" if others else f"role {asked.role} is ours alone",
            not others,
            "give the operator a role of its own: whoever is in it is offered our volumes, and may use or destroy them",
            setting="role",
            otherwise=Verdict.WARN,
        )
    ]
    if facts.limits is None:
        return findings
    short = [
        f"{name} {facts.limits[name]:g} of {amount:g} reserved"
        for name, amount in sorted(facts.reserved.items())
        if name in facts.limits and facts.limits[name] < amount
    ]
    quota = ", ".join(f"{name} {amount:g}" for name, amount in sorted(facts.limits.items())) or "none"
    findings.append(
        judged(
            WHERE,
            f"quota of {asked.role}: {'; '.join(short) if short else quota}",
            not short,
            "raise it (UPDATE_QUOTA) to what databases reserve or more: idle reservations count against it",
            setting="quota",
        )
    )
    return findings


def _framework(facts: MasterFacts, asked: Asked) -> list[Finding]:
    ours = [framework for framework in facts.frameworks if asked.cluster and framework.cluster == asked.cluster]
    if not ours:
        what = "the operator has no framework" if asked.cluster else "nothing is installed yet"
        return [
            judged(WHERE, what, not asked.cluster, "start it: statefuldb operator run", setting="fail-over time-out")
        ]
    findings = []
    for framework in ours:
        named = f"framework {framework.id}"
        findings += [
            judged(
                WHERE,
                f"{named} is {'connected' if framework.connected else 'registered, and its operator is away'}",
                framework.connected,
                "start the operator, or read its log: databases run on meanwhile",
            ),
            judged(
                WHERE,
                f"{named} has the principal {framework.principal or 'none'}",
                framework.principal == asked.principal,
                f"--principal {framework.principal}: Mesos refuses another, and ACLs know volumes by it",
                setting="principal",
            ),
            judged(
                WHERE,
                f"its tasks outlive an operator that is away for {framework.failover_seconds / 86_400:g} days",
                framework.failover_seconds >= FAILOVER_SECONDS,
                "restart the operator: it subscribes with four weeks",
                setting="fail-over time-out",
            ),
            judged(
                WHERE,
                "its tasks outlive a restart of their agent",
                framework.checkpoint,
                "restart the operator: it subscribes with checkpoints",
                setting="checkpoint",
            ),
        ]
    what = f"{len(ours)} framework of this cluster" if len(ours) == 1 else f"{len(ours)} frameworks of this cluster"
    findings.append(judged(WHERE, what, len(ours) == 1, "docs/mesos.md, Trouble with the connection"))
    return findings
