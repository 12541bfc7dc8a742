"""A broken law, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken law, with what breaks it."""

    law: str
    message: str
