"""Nobody grants what they do not have (Kubernetes docs, "Privilege escalation prevention and bootstrapping"). Pure.

Whoever writes a role must hold each of its rights or the verb `escalate` on it; whoever binds one must hold each of its
rights or the verb `bind` on it. Members of system:masters are asked for nothing.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from statefuldb.local.api_server.errors import forbidden, not_found
from statefuldb.local.api_server.rights.rbac import (
    API_GROUP,
    MASTERS,
    Attempt,
    Objects,
    User,
    covers,
    granted,
    role_rules,
    rules_of,
)
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
_ROLES = ("roles", "clusterroles")
_PARTS = ("APIGroups", "Resources", "NonResourceURLs", "ResourceNames", "Verbs")


def check_escalation(objects: Objects, user: User, kind: Kind, new: Json, old: Json | None) -> None:
    """Raise ApiError where `user` would give, by a role or a binding, rights that are not its own."""
    if kind.group != API_GROUP or MASTERS in user.groups or (old is not None and _says(old) == _says(new)):
        return
    namespace, name = new["metadata"].get("namespace", ""), new["metadata"].get("name", "")
    if kind.plural in _ROLES:
        verb, resource, role, wanted = "escalate", kind.plural, name, new.get("rules") or ()
        exists = True
    else:
        reference = new["roleRef"]
        verb, resource, role = "bind", f"{reference['kind'].lower()}s", reference["name"]
        place = namespace if resource == "roles" else ""
        exists = (f"{resource}.{API_GROUP}", place, role) in objects
        wanted = role_rules(objects, reference, namespace)
    attempt = Attempt(verb=verb, group=API_GROUP, resource=resource, namespace=namespace, name=role)
    if granted(objects, user, attempt) is not None:
        return
    if not exists:
        raise not_found(resource, API_GROUP, role)
    held = rules_of(objects, user, namespace)
    lacking = [right for right in _rights(wanted) if not any(covers(rule, right) for rule in held)]
    if lacking:
        groups = " ".join(json.dumps(group) for group in user.groups)
        shown = "\n".join(_compact(lacking))
        why = f"is attempting to grant RBAC permissions not currently held:\n{shown}"
        raise forbidden(kind.plural, API_GROUP, name, f"user {json.dumps(user.name)} (groups=[{groups}]) {why}")


def _says(stored: Json) -> list[Any]:
    return [stored.get(field) or None for field in ("rules", "aggregationRule", "roleRef", "subjects")]


def _rights(rules: Iterable[Json]) -> Iterator[Attempt]:
    """Yield each single right that rules give; a name of "" is any."""
    for rule in rules:
        for verb in rule.get("verbs") or ():
            for path in rule.get("nonResourceURLs") or ():
                yield Attempt(verb=verb, path=path)
            parts = (rule.get("apiGroups") or (), rule.get("resources") or (), rule.get("resourceNames") or ("",))
            for group, resource, name in product(*parts):
                yield Attempt(verb=verb, group=group, resource=resource, name=name)


def _compact(rights: Iterable[Attempt]) -> list[str]:
    """Return rights as the real server writes them: the verbs of one resource together, sorted."""
    verbs: dict[tuple[str, ...], list[str]] = {}
    for right in rights:
        about = ("", "", right.path, "") if right.path else (right.group, right.resource, "", right.name)
        verbs.setdefault(about, []).append(right.verb)
    found = []
    for (group, resource, path, name), each in verbs.items():
        values = (None if path else group, resource or None, path or None, name or None)
        parts = [
            f"{part}:[{json.dumps(value)}]" for part, value in zip(_PARTS, values, strict=False) if value is not None
        ]
        listed = " ".join(json.dumps(verb) for verb in dict.fromkeys(each))
        found.append("{" + ", ".join([*parts, f"Verbs:[{listed}]"]) + "}")
    return sorted(found)
