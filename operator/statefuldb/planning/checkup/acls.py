"""Access control lists of a Mesos master, as its local authorizer reads them (Mesos docs, authorization).

The master shows them as protocol buffer text, whichever form they were given in. Of each action the first entry that
covers both principal and object decides; where none does, `permissive` does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from statefuldb.planning.checkup.findings import Asked, Finding, Verdict, judged

Json = dict[str, Any]
Acls = Mapping[str, Sequence[Mapping[str, Any]]]
WHERE = "Mesos master"
ANYBODY = "anybody-else"
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([\w./*%-]+)|([{}:])')

# What the operator's principal does: the action, the name of its object's list, and whether only it should.
OPERATOR_ACTIONS = (
    ("register_frameworks", "roles", True),
    ("run_tasks", "users", False),
    ("reserve_resources", "roles", True),
    ("unreserve_resources", "reserver_principals", True),
    ("create_volumes", "roles", True),
    ("destroy_volumes", "creator_principals", True),
    ("resize_volumes", "roles", True),
    ("teardown_frameworks", "framework_principals", True),
    ("view_frameworks", "users", False),
    ("view_tasks", "users", False),
    ("view_executors", "users", False),
    ("access_sandboxes", "users", False),
)


def parsed(text: str) -> Json | None:
    """Return ACLs from JSON or protocol buffer text, or None where it is neither (a path, say)."""
    try:
        found = json.loads(text)
    except ValueError:
        return _from_text(text)
    return found if isinstance(found, dict) else None


def allowed(acls: Json, action: str, objects: str, principal: str, value: str) -> bool:
    """Whether `principal` may do `action` to `value`, which the list named `objects` speaks of."""
    for entry in acls.get(action, ()):
        subjects, things = entry.get("principals", {}), entry.get(objects, {})
        if _covers(subjects, principal) and _covers(things, value):
            return "NONE" not in (subjects.get("type"), things.get("type"))
    return bool(acls.get("permissive", True))


def acl_findings(acls: Json, asked: Asked) -> list[Finding]:
    """Return what the operator's principal may not do, and what everybody else may do to its data."""
    values = {
        "roles": asked.role,
        "users": asked.user,
        **dict.fromkeys(("reserver_principals", "creator_principals", "framework_principals"), asked.principal),
    }
    findings = []
    for action, objects, alone in OPERATOR_ACTIONS:
        value = values[objects]
        named = f"{objects.replace('_', ' ').rstrip('s')} {value}"
        may = allowed(acls, action, objects, asked.principal, value)
        others = alone and allowed(acls, action, objects, ANYBODY, value)
        if not may:
            what = f"principal {asked.principal} is denied {action} for {named}"
            remedy = f"allow it in --acls: principals [{asked.principal}], {objects} [{value}]"
        else:
            what = f"{action} for {named} is open to everybody" if others else f"{action} for {named}"
            remedy = f"in --acls, after the operator's: {action} with principals NONE, {objects} [{value}]"
        otherwise = Verdict.AMISS if not may else Verdict.WARN
        findings.append(judged(WHERE, what, may and not others, remedy, setting=action, otherwise=otherwise))
    return findings


def _covers(entity: Mapping[str, Any], value: str) -> bool:
    """Whether an entity of an ACL speaks of `value`. `a/%` is every role below `a`."""
    if entity.get("type", "SOME") != "SOME":
        return True
    named = entity.get("values", ())
    below = any(name.endswith("/%") and value.startswith(name[:-1]) for name in named)
    return value in named or below


def _from_text(text: str) -> Json | None:
    tokens = [match.groups() for match in _TOKEN.finditer(text)]
    root: Json = {}
    stack = [root]
    position = 0
    while position < len(tokens):
        _, word, mark = tokens[position]
        if mark == "}" and len(stack) > 1:
            stack.pop()
            position += 1
            continue
        if word is None or position + 2 > len(tokens):
            return None
        following = tokens[position + 1][2]
        if following == "{":
            nested: Json = {}
            stack[-1].setdefault(word, [])
            stack[-1][word].append(nested)
            stack.append(nested)
            position += 2
        elif following == ":" and position + 2 < len(tokens):
            quoted, bare, _ = tokens[position + 2]
            _add(stack[-1], word, quoted if quoted is not None else bare)
            position += 3
        else:
            return None
    known = "permissive" in root or any(isinstance(entries, list) for entries in root.values())
    return _flattened(root) if len(stack) == 1 and known else None


def _add(into: Json, key: str, value: str) -> None:
    if key == "values":
        into.setdefault(key, []).append(value)
    else:
        into[key] = {"true": True, "false": False}.get(value, value)


def _flattened(root: Json) -> Json:
    """Return text's repeated messages as JSON has them: entries of actions stay lists, entities become objects."""
    acls: Json = {}
    for key, entries in root.items():
        if not isinstance(entries, list):
            acls[key] = entries
            continue
        acls[key] = [{name: held[0] for name, held in entry.items() if isinstance(held, list)} for entry in entries]
    return acls
