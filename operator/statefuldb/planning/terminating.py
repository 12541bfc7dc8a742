"""What a database stands in: the definitions of our kinds, and its namespace. Nothing is begun in what ends."""

from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Waiting


def ending(observed: Observed) -> Waiting | None:
    """Return the wait of a database whose definitions or namespace are being deleted, or are gone."""
    if observed.crd_terminating:
        return Waiting(
            ordinal=None,
            reason=Reason.DEFINITIONS_DELETED,
            message="our CustomResourceDefinitions are being deleted or gone; what runs is left as it is",
            fix="apply crds/ again once the deletion is over (docs/operations.md)",
        )
    if observed.namespace_terminating:
        return Waiting(
            ordinal=None,
            reason=Reason.NAMESPACE_TERMINATING,
            message=f"namespace {observed.key.namespace} is being deleted; what runs is left as it is",
            fix="a namespace that is being deleted does not come back; it goes once spec.deletionProtection of its "
            "databases is Disabled. Their data stays, and is taken up by databases of those names in a new namespace "
            "of its name",
        )
    return None
