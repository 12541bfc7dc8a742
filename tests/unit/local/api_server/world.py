"""A store and a service with no socket, no file and no clock."""

from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.objects.store import Change, Store
from statefuldb.local.api_server.schemas.kinds import Kind
from statefuldb.local.api_server.service import Service
from statefuldb.local.api_server.storing.writes import Write
from statefuldb.model.schema import custom_resource_definitions

Json = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"


def _ids() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"uid-{number}"


class World:
    """The state machine, and all changes that it told of."""

    def __init__(self) -> None:
        ids = _ids()
        self.changes: list[Change] = []
        self.store = Store(lambda: next(ids), self.changes.append)
        self.service = Service(self.store)
        self.create("namespaces", {"metadata": {"name": "home"}})

    @classmethod
    def of_ours(cls) -> "World":
        """Return one that knows our own kinds."""
        one = cls()
        for definition in custom_resource_definitions():
            one.create("customresourcedefinitions", definition)
        return one

    def kind(self, plural: str) -> Kind:
        return next(kind for kind in self.store.kinds.values() if kind.plural == plural and not kind.storage)

    def create(self, plural: str, body: Json, **more: Any) -> Json:
        kind = self.kind(plural)
        stored, _ = self.service.create(kind, "home" if kind.namespaced else "", body, write(**more))
        return stored

    def patch(self, plural: str, name: str, body: Any, **more: Any) -> Json:
        kind = self.kind(plural)
        namespace = "home" if kind.namespaced else ""
        content_type = more.pop("content_type", "application/merge-patch+json")
        stored, _ = self.service.patch(kind, namespace, name, body, content_type, write(**more))
        self.service.settle(NOW)
        return stored

    def delete(self, plural: str, name: str, policy: str = "") -> Json | None:
        kind = self.kind(plural)
        options = {"propagationPolicy": policy} if policy else {}
        kept = self.service.delete(kind, "home" if kind.namespaced else "", name, options, write())
        self.service.settle(NOW)
        return kept

    def names(self, plural: str) -> list[str]:
        return [stored["metadata"]["name"] for stored in self.store.list(self.kind(plural), "")]


def write(**more: Any) -> Write:
    return Write(**{"now": NOW, "manager": "test", "suffix": "abcde", **more})


def loosen(world: World, plural: str) -> Json:
    """Have a kind of ours take any spec, as an older definition may; return the definition as it was."""
    name = f"{plural}.statefuldb.dev"
    before: Json = copied(world.store.get(world.kind("customresourcedefinitions"), "", name))
    versions: list[Json] = copied(before["spec"]["versions"])
    versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
    }
    world.patch("customresourcedefinitions", name, {"spec": {"versions": versions}})
    return before


def owned(name: str, *owners: Json, block: bool = True) -> Json:
    """A ConfigMap that belongs to others."""
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    return {"metadata": {"name": name, "ownerReferences": references}}
