"""From files to documents: each document by itself, so that a broken one hides no other; every error with its place."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from statefuldb.sync.ports import Json, Snapshot, SourceFile

FRAMEWORK_PREFIX = "statefuldb-"
NODES_LIMIT = 100_000
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_IN_WORDS = "small letters, digits, - and . (in quotes where YAML would read a number, or true or false)"
# What stands beside it is a part of the document, unless it is a comment.
_SEPARATOR = re.compile(r"^---(?:[ \t]*\r?$|[ \t]+#.*$|(?=[ \t]))", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind that is synced. Kinds are applied in the order of `KINDS`; a Namespace is never pruned."""

    api_version: str
    namespaced: bool = True
    pruned: bool = True


KINDS = {
    "Namespace": Kind(api_version="v1", namespaced=False, pruned=False),
    "ConfigMap": Kind(api_version="v1"),
    "StatefulDatabase": Kind(api_version="statefuldb.dev/v1alpha1"),
}
_ORDER = tuple(KINDS)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Identity:
    """Which object. `namespace` is empty for a kind that has none."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A manifest that can be applied, and where it stands: file, and number of the document in it, from 1."""

    identity: Identity
    body: Json
    file: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, and where. `number` 0 means the file as a whole, `file` empty the source as a whole."""

    file: str
    number: int
    message: str
    identity: Identity | None = None

    def __str__(self) -> str:
        place = self.file + (f" document {self.number}" if self.number else "")
        about = f"{self.identity}: " if self.identity is not None else ""
        return f"{place}: {about}{self.message}" if place else f"{about}{self.message}"


def problem_of(document: Document, message: str) -> Problem:
    """Return what is wrong with a document, with its place."""
    return Problem(file=document.file, number=document.number, identity=document.identity, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """All that a snapshot says.

    `broken` are the texts, by path, of files in which something is wrong; None for one that could not be read.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    broken: dict[str, str | None]

    @property
    def known(self) -> frozenset[Identity]:
        """Every object that the revision speaks of, applicable or not."""
        named = {problem.identity for problem in self.problems if problem.identity is not None}
        return frozenset({document.identity for document in self.documents} | named)

    def without(self, unseen: Mapping[Identity, str]) -> "Manifests":
        """Return the manifests without objects of which it cannot be known what is stored, each named as a problem."""
        places = {d.identity: (d.file, d.number) for d in self.documents}
        named = [
            Problem(file=places.get(i, ("", 0))[0], number=places.get(i, ("", 0))[1], identity=i, message=why)
            for i, why in sorted(unseen.items())
        ]
        rest = tuple(document for document in self.documents if document.identity not in unseen)
        return replace(self, documents=rest, problems=(*self.problems, *named))


class NoManifest(ValueError):
    """A document that says nothing that could be acted on."""


class ManifestLoader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a date is a text.

    A key that is there twice is refused: where the line between two documents was lost, the last one would hide the
    others: nothing would be applied of them, and what was applied before would be pruned.
    """

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Return a mapping as it is written: nothing is merged into it yet."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key.value!r} is there twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return node


ManifestLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_manifests(snapshot: Snapshot, namespace: str, check: Callable[[Json], list[str]]) -> Manifests:
    """Return the documents of a snapshot in the order in which they are applied, and everything that is wrong.

    `namespace` is that of documents which name none. `check` returns what the operator would refuse in a manifest.
    """
    documents: dict[Identity, Document] = {}
    problems: list[Problem] = []
    broken: dict[str, str | None] = {}
    for file in snapshot.files:
        if file.text is None:
            problems.append(Problem(file=file.path, number=0, message=file.problem))
            broken[file.path] = None
            continue
        for number, found in _documents(file):
            if isinstance(found, NoManifest):
                problems.append(Problem(file=file.path, number=number, message=str(found)))
                broken[file.path] = file.text
                continue
            identity = _identity(found, namespace)
            errors = _errors(found, identity, check)
            if identity in documents:
                first = documents[identity]
                errors.append(f"is in {first.file} document {first.number} too; that one is applied")
            if errors:
                broken[file.path] = file.text
                problems += [Problem(file=file.path, number=number, identity=identity, message=text) for text in errors]
            else:
                documents[identity] = Document(identity=identity, body=found, file=file.path, number=number)
    ordered = sorted(documents.values(), key=lambda d: (_ORDER.index(d.identity.kind), d.identity))
    return Manifests(documents=tuple(ordered), problems=tuple(problems), broken=broken)


def _documents(file: SourceFile) -> Iterator[tuple[int, Json | NoManifest]]:
    """Yield each document with its number; the items of a List one by one."""
    assert file.text is not None
    start, number = 0, 0
    separators = [(m.start(), m.end()) for m in _SEPARATOR.finditer(file.text)]
    for end, after in (*separators, (len(file.text), len(file.text))):
        text, line = file.text[start:end], file.text.count("\n", 0, start)
        start = after
        if not text.strip():
            continue
        number += 1
        try:
            body = _parsed(text, line)
            for item in items_of(body):
                yield number, check_named(item)
        except NoManifest as broken:
            yield number, broken


def _parsed(text: str, line: int) -> Any:
    try:
        body = yaml.load(text, ManifestLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {line + mark.line + 1}: " if mark is not None else ""
        raise NoManifest(f"{where}{error.problem or error.context or 'no YAML'}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NoManifest(f"no YAML: {error}") from error
    check_plain(body)
    return body


def check_plain(body: Any) -> None:
    """See that a document is what JSON can say, and not too large with its aliases written out. Raises NoManifest."""
    waiting, seen = [body], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > NODES_LIMIT:
            raise NoManifest(f"more than {NODES_LIMIT} values, aliases counted as often as they are used")
        if isinstance(node, dict):
            strange = [key for key in node if not isinstance(key, str)]
            if strange:
                raise NoManifest(f"the key {strange[0]!r} is no text")
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
        elif not isinstance(node, str | int | float | None):
            raise NoManifest(f"a value is of type {type(node).__name__}")


def items_of(body: Any) -> list[Any]:
    """Return the items of a List, or the document itself; nothing for one that holds comments only."""
    if isinstance(body, dict) and str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), list):
        return list(body["items"])
    return [] if body is None else [body]


def check_named(body: Any) -> Json:
    """Return a document, which says what object it is about. Raises NoManifest."""
    if not isinstance(body, dict):
        raise NoManifest("is no manifest: one begins with apiVersion and kind")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise NoManifest("has no metadata")
    if not isinstance(body.get("kind"), str) or not body["kind"]:
        raise NoManifest(f"kind: {body.get('kind')!r} is no kind")
    for path, value in (("name", metadata.get("name")), ("namespace", metadata.get("namespace") or "default")):
        # What goes into a URL is held to be a name before anything is asked for by it.
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise NoManifest(f"metadata.{path}: {value!r} is no name: {_IN_WORDS}")
    if not isinstance(metadata.get("annotations") or {}, dict):
        raise NoManifest("metadata.annotations is no mapping")
    return body


def _identity(body: Json, namespace: str) -> Identity:
    kind, metadata = KINDS.get(body["kind"]), body["metadata"]
    namespaced = kind is None or kind.namespaced
    return Identity(
        kind=body["kind"],
        namespace=(metadata.get("namespace") or namespace) if namespaced else "",
        name=metadata["name"],
    )


def _errors(body: Json, identity: Identity, check: Callable[[Json], list[str]]) -> list[str]:
    kind = KINDS.get(identity.kind)
    if kind is None:
        return [f"kind {identity.kind} is not synced; {', '.join(KINDS)} are"]
    if body.get("apiVersion") != kind.api_version:
        return [f"apiVersion: {body.get('apiVersion')!r} is not {kind.api_version}"]
    if identity.kind == "ConfigMap" and identity.name.startswith(FRAMEWORK_PREFIX):
        return [f"ConfigMaps named {FRAMEWORK_PREFIX}... are the operator's own"]
    return check(body)
