"""An API server without a socket, as the command line's client sees it, with our kinds defined."""

from collections.abc import Callable
from typing import Any

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.local.api_server.errors import ApiError
from statefuldb.model.schema.crd import custom_resource_definitions
from unit.local.api_server.world import World, loosen, write

Json = dict[str, Any]
Written = tuple[Json, list[str]]
PLURALS = {
    "ConfigMap": "configmaps",
    "Lease": "leases",
    "DatabaseVolume": "databasevolumes",
    "Event": "events",
    "Secret": "secrets",
    "StatefulDatabase": "statefuldatabases",
}


class LedgerApi:
    """`before_write` is called before each write is made, as if somebody else had been quicker."""

    def __init__(self, namespace: str) -> None:
        self.world = World()
        self.before_write: Callable[[], object] = lambda: None
        self.world.create("namespaces", {"metadata": {"name": namespace}})
        for definition in custom_resource_definitions():
            self.world.create("customresourcedefinitions", definition)

    def loosen(self, kind: str) -> None:
        """Have a kind take anything, as a definition without these rules does."""
        loosen(self.world, PLURALS[kind])

    def list(self, kind: str, namespace: str = "", query: str = "") -> list[Json]:
        return [*self.world.store.list(self.world.kind(PLURALS[kind]), namespace)]

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        found = [o for o in self.list(kind, namespace) if o["metadata"]["name"] == name]
        return found[0] if found else None

    def secret(self, namespace: str, name: str) -> dict[str, str] | None:
        assert self.get("Secret", namespace, name) is None
        return None

    def create(self, body: Json) -> Json:
        kind = self.world.kind(PLURALS[body["kind"]])
        return self._written(lambda: self.world.service.create(kind, body["metadata"]["namespace"], body, write()))

    def delete(self, kind: str, namespace: str, name: str, uid: str = "") -> None:
        place = self.world.kind(PLURALS[kind]), namespace, name
        options = {"preconditions": {"uid": uid}} if uid else {}
        self._written(lambda: ({}, [str(self.world.service.delete(*place, options, write()))]))

    def merge(self, kind: str, namespace: str, name: str, patch: Json) -> Json:
        place = self.world.kind(PLURALS[kind]), namespace, name
        content_type = "application/merge-patch+json"
        return self._written(lambda: self.world.service.patch(*place, patch, content_type, write()))

    def _written(self, made: Callable[[], Written]) -> Json:
        meanwhile, self.before_write = self.before_write, lambda: None
        meanwhile()
        try:
            return made()[0]
        except ApiError as refused:
            raise CallRefused(str(refused), refused.code) from refused
