"""Which of our kinds the API server serves, and whether kopf may have missed one.

kopf asks what is served as it begins, and again at each change of a definition. An API server tells that a definition
is established some milliseconds before its discovery lists the kind: whoever asks at once may be told that there is no
such kind, and hears nothing more of it. So a kind that comes, or comes back, is awaited here.
"""

import asyncio
from typing import Any

from statefuldb.adapters.kubernetes.calls import find_served
from statefuldb.adapters.kubernetes.objects import PEEK_SECONDS
from statefuldb.adapters.kubernetes.plain import PlainObjects
from statefuldb.model.schema.crd import API_VERSION, GROUP
from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]


def served_by(client: Any) -> frozenset[str]:
    """Return the plurals of our group that discovery lists; none where it cannot be asked."""
    discovery = PlainObjects(client, "/apis", API_VERSION)
    try:
        listed = find_served("ask what is served", lambda: discovery.get("", "", timeout_seconds=PEEK_SECONDS))
    except EffectFailed:
        return frozenset()
    return frozenset(str(resource["name"]) for resource in (listed or {}).get("resources", []))


class Kinds:
    """The kinds to be watched. Those `missing` may not have been found by who watches; then `doubted` is set."""

    def __init__(self, wanted: tuple[str, ...], served: frozenset[str]) -> None:
        self.wanted = wanted
        self.missing: set[str] = set()
        self.doubted = asyncio.Event()
        self._uids: dict[str, str] = {}
        for plural in wanted:
            if plural not in served:
                self._doubt(plural)

    def noticed(self, event_type: str | None, definition: Json) -> bool:
        """Take in an event of a definition, of type None where it is listed: another one than before is new.

        Return whether it is one of ours.
        """
        plural, _, group = str(definition["metadata"]["name"]).partition(".")
        if group != GROUP or plural not in self.wanted:
            return False
        uid = str(definition["metadata"]["uid"])
        known = event_type is None and plural not in self._uids
        if event_type == "DELETED" or not (known or self._uids.get(plural) == uid):
            self._doubt(plural)
        self._uids[plural] = uid
        return True

    def _doubt(self, plural: str) -> None:
        self.missing.add(plural)
        self.doubted.set()
