"""What planning returns: actions in order, what waits and why, what to publish, when to look again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from statefuldb.model.actions import Action
from statefuldb.model.conditions import Condition, EventReason, Reason
from statefuldb.model.spec import DatabaseSpec, RiskClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a member (or, with ordinal None, the database) does not move, and what would help.

    `hosts` are those whose offers would help, empty where any agent's might; `needs` says what must be offered.
    `short_of_target` says that a member which serves is not as it is wanted, so that the database is not Ready.
    `winding_up` says that it is of data that this database does not use: it says nothing of how the database is.
    """

    ordinal: int | None
    reason: Reason
    message: str
    fix: str = ""
    refusals: Mapping[str, int] = field(default_factory=dict)
    wants_offers: bool = False
    hosts: tuple[str, ...] = ()
    needs: str = ""
    short_of_target: bool = False
    winding_up: bool = False
    look_again_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a database wants of offers: from which hosts soon, and, in words to compare with, what.

    `anywhere` says that an offer of any host might do.
    """

    hosts: frozenset[str] = frozenset()
    anywhere: bool = False
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReport:
    """What is published of one member (`status.members[]`)."""

    ordinal: int
    phase: str
    ready: bool
    task_id: str = ""
    incarnation: int = 0
    agent: str = ""
    address: str = ""
    port: int = 0
    restarts: int = 0
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A Kubernetes Event that a plan calls for; sent once for each distinct text.

    `about_uid` is the database's where it may be gone: without one, what is said of a gone database is only logged.
    """

    reason: EventReason
    message: str
    warning: bool = False
    about_uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The spec that is acted on, with the generation in which it was accepted."""

    generation: int
    spec: DatabaseSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedAction:
    """An action as it is published and approved; `key` tells it apart whichever agent serves in the end."""

    type: str
    risk: RiskClass
    key: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A plan that was approved: its hash, the generation it was made for, and the keys of what may still be done."""

    hash: str
    generation: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Where a database stands with approvals (`status.plan`).

    `target` is a digest of the spec without the approval itself, `generation` the one in which that became the target:
    committing an approval changes neither. `hash` and `actions` are of the plan that waits; empty where none does.
    """

    target: str
    generation: int
    hash: str = ""
    actions: tuple[ProposedAction, ...] = ()
    release: Release | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One decision. `held_back` are the actions of this pass that wait until the plan in `approval` is approved."""

    actions: tuple[Action, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    conditions: tuple[Condition, ...] = ()
    members: tuple[MemberReport, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    accepted: Accepted | None = None
    held_back: tuple[Action, ...] = ()
    approval: Approval | None = None
    look_again_after_seconds: float | None = None

    @property
    def own_waiting(self) -> tuple[Waiting, ...]:
        """What the database itself waits for: not what data of earlier lives, or beside it, does."""
        return tuple(wait for wait in self.waiting if not wait.winding_up)

    @property
    def wants_offers(self) -> bool:
        """Whether something waits for an offer: while anything does, the role is revived."""
        return self.demand is not None

    @property
    def demand(self) -> Demand | None:
        """What is waited for in offers, or None where nothing is."""
        wanting = [waiting for waiting in self.waiting if waiting.wants_offers]
        if not wanting:
            return None
        return Demand(
            hosts=frozenset(host for waiting in wanting for host in waiting.hosts),
            anywhere=any(not waiting.hosts for waiting in wanting),
            needs=frozenset(f"{waiting.ordinal} {waiting.reason} {waiting.needs}" for waiting in wanting),
        )
