"""What syncing asks of the world: a source that is read whole, and an API."""

from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]


class Unreachable(Exception):
    """The source cannot be read now. Nothing follows from that: nothing is applied, nothing is pruned."""


class Refused(Exception):
    """The API said no, or did not answer. `status` is the HTTP status, 0 for no answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of manifests, by its path below the root. `text` is None where it could not be read, for `problem`."""

    path: str
    text: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A source at one moment. `revision` is a commit, or a digest of what a directory holds."""

    revision: str
    files: tuple[SourceFile, ...]


class Source(Protocol):
    """Where manifests come from."""

    @property
    def changes_whole(self) -> bool:
        """Whether a revision appears whole, as a commit does, or may be seen half-written, as a directory may."""
        ...

    def read(self) -> Snapshot:
        """Return what is there now. Raises Unreachable."""
        ...


class Cluster(Protocol):
    """The API. Every call raises Refused."""

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return an object, or None."""
        ...

    def databases(self, namespace: str) -> list[Json]:
        """Return the databases of a namespace."""
        ...

    def apply(self, body: Json) -> Json:
        """Apply an object by server-side apply, as the field manager of syncing; return it as stored."""
        ...

    def retain(self, namespace: str, name: str) -> None:
        """Have a database's data retained when it is deleted."""
        ...

    def delete(self, kind: str, namespace: str, name: str, uid: str) -> None:
        """Delete an object, if it is still the one with this uid."""
        ...

    def write(self, body: Json) -> None:
        """Create an object without a resourceVersion, or replace the one that has it."""
        ...
