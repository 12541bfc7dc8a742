"""What our objects depend on and do not own: the namespaces they are in, and our definitions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from statefuldb.adapters.kubernetes.cache import Cache
from statefuldb.adapters.kubernetes.objects import DATABASES, VOLUMES, Surroundings
from statefuldb.model.schema.crd import GROUP

Json = dict[str, Any]
DEFINITIONS = "customresourcedefinitions"
_OUR_CRDS = tuple(f"{plural}.{GROUP}" for plural in (DATABASES, VOLUMES))


class KnownSurroundings:
    """What is known of them, by what is watched and by direct looks. `caches` takes in events, by plural.

    `on_changed` is called with the namespace that a direct look found changed, or with None for our definitions: it is
    news to no watch by then, and whoever is confined to namespaces has none.
    """

    def __init__(self, client: Any, on_changed: Callable[[str | None], None]) -> None:
        self._api = Surroundings(client)
        self._on_changed = on_changed
        self._namespaces, self._definitions = Cache(), Cache()
        self.caches = {"namespaces": self._namespaces, DEFINITIONS: self._definitions}

    def look_at_definitions(self) -> None:
        """Read our definitions. Raises EffectFailed."""
        for name in _OUR_CRDS:
            if self._definitions.refresh(("", name), partial(self._api.definition, name)):
                self._on_changed(None)

    def look_at(self, namespace: str) -> None:
        """Read a namespace. Raises EffectFailed."""
        if self._namespaces.refresh(("", namespace), partial(self._api.namespace, namespace)):
            self._on_changed(namespace)

    def definitions_going(self) -> bool:
        """Say whether one of our definitions is absent or being deleted."""
        held = [self._definitions.get(("", name)) for name in _OUR_CRDS]
        return any(crd is None or "deletionTimestamp" in crd["metadata"] for crd in held)

    def namespace(self, name: str) -> Json | None:
        """Return a namespace as it is known, or None."""
        return self._namespaces.get(("", name))

    def namespace_now(self, name: str) -> Json | None:
        """Return a namespace, read directly where it is not known yet. Raises EffectFailed."""
        if self.namespace(name) is None:
            self.look_at(name)
        return self.namespace(name)
