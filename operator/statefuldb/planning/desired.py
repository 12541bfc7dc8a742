"""From a stored object to the spec that is acted on: the new one where it is good, else the last accepted one.

A bad edit, an operator crash and a lost task together still repair to the old target (docs/design.md section 8,
"Accepted spec"), because what was accepted is stored in status before it is acted on.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.duplicate import DuplicateEntry
from statefuldb.model.errors import FieldError
from statefuldb.model.observed import DatabaseObject, Observed
from statefuldb.model.parse import parse_database, read_accepted
from statefuldb.model.plan import Accepted
from statefuldb.model.profile import StorageProfile
from statefuldb.model.spec import DatabaseSpec, ReconcileMode, Strategy
from statefuldb.model.transition import transition_errors
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.engines import changed_errors, engine_errors
from statefuldb.planning.ledger import damage
from statefuldb.planning.profiles import profile_errors

_BEING_BEGUN = (
    "its first launch is not over: wait until that serves or has failed, or delete the database and create it again"
)
_LOOK_FIRST = f"set spec.reconcile.mode to Apply first, and nothing else: {_BEING_BEGUN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What to aim at. `accepted` is None only while no spec was ever good; `errors` are those of the present spec."""

    accepted: Accepted | None
    errors: tuple[FieldError, ...] = ()
    is_new: bool = False

    @property
    def spec(self) -> DatabaseSpec | None:
        """The spec that is acted on."""
        return self.accepted.spec if self.accepted else None


def desired_of(observed: Observed, allowed_roots: tuple[str, ...]) -> Desired | None:
    """Return the target for the observed database, or None where there is no database."""
    database = observed.database
    if database is None:
        return None
    previous = accepted_of(database.status)
    entries = (*observed.volumes, *damage.unsure(observed))
    judged = judge(
        database,
        previous,
        entries,
        profiles=observed.profiles,
        allowed_roots=allowed_roots,
        operator_role=observed.mesos.role,
    )
    if not isinstance(judged, DatabaseSpec):
        return Desired(accepted=previous, errors=judged)
    accepted = Accepted(generation=database.generation, spec=judged)
    return Desired(accepted=accepted, is_new=previous != accepted)


def judge(
    database: DatabaseObject,
    previous: Accepted | None,
    entries: Iterable[VolumeRecord | DamagedEntry | DuplicateEntry],
    *,
    profiles: tuple[StorageProfile, ...],
    allowed_roots: tuple[str, ...],
    operator_role: str,
) -> DatabaseSpec | tuple[FieldError, ...]:
    """Return the spec of a database where it is good for what the ledger has of it, else everything that is wrong.

    `previous` is the spec that was accepted last.
    """
    parsed = _parsed(json.dumps(database.spec), allowed_roots)
    if not isinstance(parsed, DatabaseSpec):
        return parsed
    errors = engine_errors(parsed) + profile_errors(parsed, profiles, operator_role)
    if previous is not None:
        listed = list(entries)
        mine = [r for r in listed if isinstance(r, VolumeRecord) and r.owner_uid == database.uid]
        unsure = not all(isinstance(entry, VolumeRecord) for entry in listed)
        errors += _edit_errors(previous.spec, parsed, mine, unsure=unsure)
    return errors or parsed


def _edit_errors(
    before: DatabaseSpec, after: DatabaseSpec, mine: list[VolumeRecord], *, unsure: bool
) -> tuple[FieldError, ...]:
    """Return what may not change from `before` to `after` for what the ledger has of a database.

    While a first launch is not over it may have begun data, and serve it in a moment: what is accepted then would be
    said of data that lies elsewhere, or was made otherwise.
    """
    held = [r for r in mine if r.initialised]
    beginning = [r for r in mine if not r.initialised and not r.ended]
    # What an entry says that cannot be read, or is not to be believed, is not known: there may be data.
    initialised = bool(held or unsure)
    sizes = [r.size_bytes for r in held if r.strategy is Strategy.PERSISTENT_VOLUME]
    known = next((r.made_with for r in (*held, *beginning) if r.made_with is not None), None)
    errors = changed_errors(before, after, known) if initialised or beginning else ()
    errors += transition_errors(
        before,
        after,
        initialised=initialised,
        begun=bool(mine or unsure),
        entries=(*held, *beginning),
        held_bytes=max(sizes, default=None),
    )
    if initialised:
        return errors
    # While nothing is looked after, nobody learns what becomes of that launch.
    fix = _LOOK_FIRST if before.reconcile.mode is ReconcileMode.PAUSED else _BEING_BEGUN
    return tuple(replace(error, fix=fix) if error.reason == "Immutable" else error for error in errors)


# A database is looked at many times between two changes of its spec.
@lru_cache(maxsize=256)
def _parsed(spec: str, allowed_roots: tuple[str, ...]) -> DatabaseSpec | tuple[FieldError, ...]:
    return parse_database(json.loads(spec), allowed_roots=allowed_roots)


@lru_cache(maxsize=256)
def _accepted(spec: str) -> DatabaseSpec | None:
    return read_accepted(json.loads(spec))


def accepted_of(status: Mapping[str, object]) -> Accepted | None:
    """Read `status.accepted` back. What cannot be read is as if it had never been accepted."""
    stored = status.get("accepted")
    if not isinstance(stored, Mapping):
        return None
    spec, generation = stored.get("spec"), stored.get("generation")
    if not isinstance(spec, Mapping) or not isinstance(generation, int):
        return None
    parsed = _accepted(json.dumps(spec))
    return Accepted(generation=generation, spec=parsed) if parsed is not None else None
