"""What the doctor makes of masters and agents."""

from dataclasses import replace

import pytest

from statefuldb.model.machine_facts import MachineFacts
from statefuldb.planning.checkup.acls import acl_findings, allowed, parsed
from statefuldb.planning.checkup.agents import AgentFacts, Mount, agent_findings
from statefuldb.planning.checkup.findings import Asked, Finding, Verdict, seconds_of
from statefuldb.planning.checkup.machines import machine_findings
from statefuldb.planning.checkup.master import FrameworkFacts, MasterFacts, master_findings
from statefuldb.planning.engines import built

ASKED = Asked(
    role="statefuldb", principal="statefuldb", user="root", with_credentials=True, with_tls=True, cluster="our-cluster"
)
# As a real Mesos 1.11.0 shows them in GET_FLAGS, from a file of JSON.
SHOWN = """permissive: true
register_frameworks {
  principals {
    values: "statefuldb"
  }
  roles {
    values: "statefuldb"
  }
}
register_frameworks {
  principals {
    type: NONE
  }
  roles {
    values: "statefuldb"
  }
}
"""
ALONE = (
    ("register_frameworks", "roles", "statefuldb"),
    ("reserve_resources", "roles", "statefuldb"),
    ("unreserve_resources", "reserver_principals", "statefuldb"),
    ("create_volumes", "roles", "statefuldb"),
    ("destroy_volumes", "creator_principals", "statefuldb"),
    ("resize_volumes", "roles", "statefuldb"),
    ("teardown_frameworks", "framework_principals", "statefuldb"),
)
SAFE = {
    action: [
        {"principals": {"values": ["statefuldb"]}, objects: {"values": [value]}},
        {"principals": {"type": "NONE"}, objects: {"values": [value]}},
    ]
    for action, objects, value in ALONE
}
FLAGS = {
    "roles": "other,statefuldb",
    "root_submissions": "true",
    "authenticate_http_frameworks": "true",
    "authenticate_http_readwrite": "true",
    "authenticate_http_readonly": "true",
    "http_framework_authenticators": "basic",
    "credentials": "/etc/mesos/credentials",
    "agent_reregister_timeout": "10mins",
    "acls": str(SAFE).replace("'", '"'),
}
OURS = FrameworkFacts(
    id="f-1",
    name="statefuldb",
    roles=("statefuldb",),
    principal="statefuldb",
    cluster="our-cluster",
    connected=True,
    checkpoint=True,
    failover_seconds=28 * 86_400.0,
)
MASTER = MasterFacts(
    version="1.11.0",
    leader="10.0.0.1:5050",
    flags=FLAGS,
    blind="",
    frameworks=(OURS,),
    limits={"cpus": 8.0},
    reserved={"cpus": 4.0, "mem": 512.0},
)
AGENT = AgentFacts(
    hostname="agent-1",
    active=True,
    capabilities=frozenset(
        ("MULTI_ROLE", "RESERVATION_REFINEMENT", "AGENT_OPERATION_FEEDBACK", "RESOURCE_PROVIDER", "RESIZE_VOLUME")
    ),
    resources=frozenset(("cpus", "mem", "disk", "ports")),
    attributes={"statefuldb_dfs": "/mnt/shared"},
    flags={
        "executor_shutdown_grace_period": "60secs",
        "work_dir": "/var/lib/mesos",
        "isolation": "cgroups/cpu,cgroups/mem,filesystem/linux",
        "recover": "reconnect",
    },
)
MOUNT = Mount(attribute="statefuldb_dfs", value="/mnt/shared")
GOOD_AGENTS = (AGENT, replace(AGENT, hostname="agent-2"))


def bad(findings: list[Finding]) -> list[tuple[Verdict, str]]:
    return [(f.verdict, f.setting) for f in findings if f.verdict is not Verdict.OK]


def test_nothing_is_wrong_with_a_set_up_as_documented() -> None:
    assert not bad(master_findings(MASTER, ASKED))
    assert not bad(agent_findings(GOOD_AGENTS, [MOUNT]))


@pytest.mark.parametrize(
    ("flag", "value", "verdict"),
    [
        ("roles", "other", Verdict.AMISS),
        ("root_submissions", "false", Verdict.AMISS),
        ("authenticate_http_frameworks", "false", Verdict.WARN),
        ("authenticate_http_readwrite", "false", Verdict.WARN),
        ("http_framework_authenticators", "", Verdict.AMISS),
        ("credentials", "", Verdict.AMISS),
        ("agent_reregister_timeout", "5mins", Verdict.WARN),
        ("agent_removal_rate_limit", "1/10mins", Verdict.WARN),
        ("acls", "", Verdict.WARN),
    ],
)
def test_each_flag_of_a_master_is_looked_at(flag: str, value: str, verdict: Verdict) -> None:
    facts = replace(MASTER, flags={**FLAGS, flag: value})
    (found,) = [f for f in master_findings(facts, ASKED) if f.verdict is not Verdict.OK]
    assert (found.verdict, found.setting) == (verdict, f"--{flag}")
    assert found.remedy


def test_a_master_that_asks_for_credentials_which_are_not_given() -> None:
    found = bad(master_findings(MASTER, replace(ASKED, with_credentials=False)))
    assert (Verdict.AMISS, "--authenticate_http_frameworks") in found


def test_flags_that_are_not_shown_are_unknown_and_not_wrong() -> None:
    facts = replace(MASTER, flags=None, blind="403 Forbidden")
    (found,) = [f for f in master_findings(facts, ASKED) if f.verdict is not Verdict.OK]
    assert found.verdict is Verdict.UNKNOWN
    assert "403" in found.what


@pytest.mark.parametrize(("version", "verdict"), [("1.7.3", Verdict.AMISS), ("1.12.0", Verdict.WARN)])
def test_versions_outside_the_range_are_told(version: str, verdict: Verdict) -> None:
    assert bad(master_findings(replace(MASTER, version=version), ASKED)) == [(verdict, "")]


def test_another_framework_in_the_role_is_named() -> None:
    thief = replace(OURS, id="f-2", name="marathon", cluster="")
    child = replace(thief, roles=("statefuldb/child",))
    for other in (thief, child):
        facts = replace(MASTER, frameworks=(OURS, other))
        (found,) = [f for f in master_findings(facts, ASKED) if f.verdict is not Verdict.OK]
        assert "marathon (f-2)" in found.what
    elsewhere = replace(thief, roles=("web", "statefuldbs"))
    assert not bad(master_findings(replace(MASTER, frameworks=(OURS, elsewhere)), ASKED))


def test_a_quota_below_what_is_reserved_is_amiss() -> None:
    assert bad(master_findings(replace(MASTER, limits={"cpus": 3.0}), ASKED)) == [(Verdict.AMISS, "quota")]


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"connected": False}, ""),
        ({"principal": "somebody"}, "principal"),
        ({"failover_seconds": 60.0}, "fail-over time-out"),
        ({"checkpoint": False}, "checkpoint"),
    ],
)
def test_our_framework_is_looked_at(change: dict[str, object], setting: str) -> None:
    facts = replace(MASTER, frameworks=(replace(OURS, **change),))  # type: ignore[arg-type]
    assert bad(master_findings(facts, ASKED)) == [(Verdict.AMISS, setting)]


def test_two_frameworks_of_one_cluster_are_amiss() -> None:
    facts = replace(MASTER, frameworks=(OURS, replace(OURS, id="f-2")))
    assert bad(master_findings(facts, ASKED)) == [(Verdict.AMISS, "")]


def test_access_control_lists_are_read_as_mesos_shows_them() -> None:
    acls = parsed(SHOWN)
    assert acls is not None
    assert allowed(acls, "register_frameworks", "roles", "statefuldb", "statefuldb")
    assert not allowed(acls, "register_frameworks", "roles", "somebody", "statefuldb")
    assert allowed(acls, "register_frameworks", "roles", "somebody", "web")
    assert parsed("file:///etc/mesos/acls") is None
    assert parsed("broken { {") is None


@pytest.mark.parametrize("permissive", [True, False])
def test_what_no_entry_covers_is_decided_by_permissive(permissive: bool) -> None:
    acls = {"permissive": permissive, "create_volumes": [{"principals": {"type": "ANY"}, "roles": {"values": ["web"]}}]}
    assert allowed(acls, "create_volumes", "roles", "statefuldb", "statefuldb") is permissive
    assert allowed(acls, "create_volumes", "roles", "statefuldb", "web")


def test_a_role_below_is_covered_by_a_percent_sign_alone() -> None:
    acls = {"permissive": False, "create_volumes": [{"principals": {"type": "ANY"}, "roles": {"values": ["db/%"]}}]}
    assert allowed(acls, "create_volumes", "roles", "x", "db/a")
    assert not allowed(acls, "create_volumes", "roles", "x", "db")
    assert not allowed(acls, "create_volumes", "roles", "x", "dba/a")


def test_what_the_operator_is_denied_is_amiss_and_what_is_open_to_all_a_warning() -> None:
    nobody = [{"principals": {"type": "NONE"}, "roles": {"type": "ANY"}}]
    denied = [f for f in acl_findings({**SAFE, "create_volumes": nobody}, ASKED) if f.verdict is not Verdict.OK]
    assert [(f.verdict, f.setting) for f in denied] == [(Verdict.AMISS, "create_volumes")]
    opened = [f for f in acl_findings({**SAFE, "destroy_volumes": []}, ASKED) if f.verdict is not Verdict.OK]
    assert [(f.verdict, f.setting) for f in opened] == [(Verdict.WARN, "destroy_volumes")]


def test_no_agent_is_amiss() -> None:
    assert bad(agent_findings((), [])) == [(Verdict.AMISS, "")]


@pytest.mark.parametrize(
    ("flag", "value", "verdict"),
    [
        ("executor_shutdown_grace_period", "5secs", Verdict.WARN),
        ("work_dir", "/tmp/mesos", Verdict.WARN),
        ("isolation", "posix/cpu,posix/mem", Verdict.WARN),
        ("recover", "cleanup", Verdict.AMISS),
    ],
)
def test_each_flag_of_an_agent_is_looked_at(flag: str, value: str, verdict: Verdict) -> None:
    assert AGENT.flags is not None
    agents = (AGENT, replace(AGENT, hostname="agent-2", flags={**AGENT.flags, flag: value}))
    (found,) = [f for f in agent_findings(agents, []) if f.verdict is not Verdict.OK]
    assert (found.where, found.verdict, found.setting) == ("agent-2", verdict, f"--{flag}")


def test_host_names_are_told_apart() -> None:
    """By them the operator knows where data lies: another agent of the name would pass for the one that was lost."""
    agents = (*GOOD_AGENTS, replace(AGENT, attributes={}))
    (found,) = [f for f in agent_findings(agents, []) if f.verdict is Verdict.AMISS]
    assert (found.what, found.setting) == ("several agents have the host name agent-1", "--hostname")


def test_abilities_and_resources_that_are_missing_are_named() -> None:
    old = replace(AGENT, capabilities=frozenset({"MULTI_ROLE"}), resources=frozenset({"cpus", "mem", "disk"}))
    found = agent_findings((old,), [])
    assert [f.what for f in found if f.verdict is Verdict.AMISS] == ["lacks RESERVATION_REFINEMENT", "offers no ports"]


def test_what_is_the_same_of_several_agents_is_said_once() -> None:
    both = agent_findings(GOOD_AGENTS, [])
    assert {f.where for f in both if f.setting != "--hostname"} == {"agent-1, agent-2"}


@pytest.mark.parametrize(("having", "verdict"), [(0, Verdict.AMISS), (1, Verdict.WARN), (2, Verdict.OK)])
def test_a_mount_needs_two_agents_to_move_between(having: int, verdict: Verdict) -> None:
    agents = tuple(replace(a, attributes=a.attributes if n < having else {}) for n, a in enumerate(GOOD_AGENTS))
    (found,) = [f for f in agent_findings(agents, [MOUNT]) if f.setting == "--attributes"]
    assert found.verdict is verdict


MACHINE = MachineFacts(keeper="1.0", server="10.11.6", trouble="", shared_mounts={"/mnt/shared": "NFS"})


@pytest.mark.parametrize(
    ("change", "verdicts"),
    [
        ({}, []),
        ({"keeper": "0.9"}, [Verdict.WARN]),
        ({"server": "10.5.2"}, [Verdict.AMISS]),
        ({"server": "", "trouble": "mariadbd is not installed on this agent"}, [Verdict.AMISS]),
        ({"trouble": "there is no user mysql on this agent"}, [Verdict.AMISS]),
        ({"shared_mounts": {}}, [Verdict.AMISS]),
    ],
)
def test_what_a_machine_has_is_judged(change: dict[str, object], verdicts: list[Verdict]) -> None:
    facts = MachineFacts.from_json(replace(MACHINE, **change).to_json())  # type: ignore[arg-type]
    found = machine_findings("agent-1", facts, AGENT.attributes, version="1.0", engines=built())
    assert [f.verdict for f in found if f.verdict is not Verdict.OK] == verdicts


def test_a_machine_that_advertises_no_mount_needs_none() -> None:
    facts = replace(MACHINE, shared_mounts={})
    assert not bad(machine_findings("agent-1", facts, {}, version="1.0", engines=built()))


@pytest.mark.parametrize(
    ("text", "seconds"), [("10mins", 600.0), ("5secs", 5.0), ("500ms", 0.5), ("1weeks", 604_800.0), ("soon", None)]
)
def test_durations_are_those_of_mesos(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds
