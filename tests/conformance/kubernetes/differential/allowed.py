"""What the embedded server may answer differently from a real one in sequences by chance, each with its reason."""

from collections.abc import Sequence

from conformance.kubernetes.differential.steps import Request
from conformance.kubernetes.recorded.comparing import Difference


def allowed(request: Request, real: int, given: int, one: Difference, beside: Sequence[Difference]) -> bool:
    """Say whether a difference is one of those."""
    return False
