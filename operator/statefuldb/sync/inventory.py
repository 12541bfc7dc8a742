"""What was applied from a source: the only things that may ever be pruned.

An object is entered before it is applied for the first time, so that a process that is killed at any point leaves
nothing behind that nobody knows of. That an object carries our annotation is looked at too before it is pruned.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from statefuldb.model.identity import ANNOTATION_SYNC
from statefuldb.sync.manifests import Document, Identity
from statefuldb.sync.ports import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object: the file it came from, and a digest of what was applied; empty while nothing was yet."""

    file: str
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All objects of one source."""

    entries: Mapping[Identity, Entry] = field(default_factory=dict)

    def announced(self, documents: tuple[Document, ...]) -> "Inventory":
        """Return the inventory with what is about to be applied for the first time."""
        new = {d.identity: Entry(file=d.file) for d in documents if d.identity not in self.entries}
        return replace(self, entries={**self.entries, **new})

    def applied(self, document: Document, digest: str) -> "Inventory":
        """Return the inventory after a document was applied."""
        return replace(self, entries={**self.entries, document.identity: Entry(file=document.file, digest=digest)})

    def without(self, identity: Identity) -> "Inventory":
        """Return the inventory without an object."""
        return replace(self, entries={held: entry for held, entry in self.entries.items() if held != identity})

    def digest_of(self, identity: Identity) -> str:
        """Return the digest of what was applied; empty where nothing was."""
        return self.entries[identity].digest if identity in self.entries else ""

    def to_json(self) -> str:
        """Return the text that is stored."""
        listed = [
            {"kind": i.kind, "namespace": i.namespace, "name": i.name, "file": e.file, "digest": e.digest}
            for i, e in sorted(self.entries.items())
        ]
        return json.dumps(listed, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Inventory":
        """Read the text back. Raises ValueError where it is none: nothing may be pruned by a damaged inventory."""
        try:
            return Inventory(
                entries={
                    Identity(kind=str(e["kind"]), namespace=str(e["namespace"]), name=str(e["name"])): Entry(
                        file=str(e["file"]), digest=str(e["digest"])
                    )
                    for e in json.loads(text)
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an inventory: {error}") from error


def marked(document: Document, owner: str) -> Json:
    """Return what is sent for a document: the manifest, with the annotation that says which sync applies it."""
    body = document.body
    metadata = dict(body["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION_SYNC: owner}
    if document.identity.namespace:
        metadata["namespace"] = document.identity.namespace
    return {**body, "metadata": metadata}


def owner_of(live: Json) -> str:
    """Return which sync applies a stored object; empty for none."""
    return str((live["metadata"].get("annotations") or {}).get(ANNOTATION_SYNC, ""))


def digest_of(body: Json) -> str:
    """Return a digest of what is sent."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:16]


def differences(wanted: object, live: object, path: str = "") -> list[str]:
    """Return the paths at which a stored object is not as it is wanted. What is not mentioned is nobody's business."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return [
            found
            for key, value in wanted.items()
            if value is not None
            for found in differences(value, live.get(key), f"{path}.{key}" if path else str(key))
        ]
    if isinstance(wanted, Mapping) and live is None and not any(value is not None for value in wanted.values()):
        return []
    return [] if wanted == live else [path]
