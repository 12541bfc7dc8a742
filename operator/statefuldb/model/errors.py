"""An error in a manifest, as a value: where, what was found, what is allowed, what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One refused field.

    `path` is in manifest notation (`spec.storage.size`), `value` is the offending value as JSON text, `allowed`
    says what would be taken, `fix` what to do where that is not obvious. `reason` is `Invalid`, `Unknown`,
    `Required`, `Immutable`, `Forbidden`, `ForbiddenByProfile` or `NotSupportedYet`.
    """

    path: str
    value: str
    allowed: str
    fix: str = ""
    reason: str = "Invalid"

    def __str__(self) -> str:
        text = f"{self.path}: {self.reason}: {self.value}: {self.allowed}"
        return f"{text}. {self.fix}" if self.fix else text
