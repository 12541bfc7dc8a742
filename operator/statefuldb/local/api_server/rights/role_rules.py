"""What roles and bindings must be, and what of a binding may be left out."""

import json
import re
from collections.abc import Iterator
from typing import Any

from statefuldb.local.api_server.errors import required, unsupported, wrong
from statefuldb.local.api_server.objects.metadata import subdomain_problem
from statefuldb.local.api_server.rights.rbac import API_GROUP
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
_ACCOUNT = "ServiceAccount"
_SUBJECTS = {_ACCOUNT: "", "User": API_GROUP, "Group": API_GROUP}


def check_role(kind: Kind, new: Json, old: Json | None) -> Iterator[Json]:
    """Yield a cause for each rule about a role or a binding that is broken."""
    if kind.plural in ("roles", "clusterroles"):
        for index, rule in enumerate(new.get("rules") or ()):
            yield from _check_rule(rule, f"rules[{index}]", namespaced=kind.namespaced)
        return
    reference = new.get("roleRef") or {}
    if old is not None and _whole(reference) != _whole(old.get("roleRef") or {}):
        shown = {f"{name[0].upper()}{name[1:]}": value for name, value in _whole(reference).items()}
        compact = json.dumps({"APIGroup": shown.pop("ApiGroup"), **shown}, separators=(",", ":"))
        yield wrong("roleRef", compact, "cannot change roleRef")
    if (reference.get("apiGroup") or API_GROUP) != API_GROUP:
        yield unsupported("roleRef.apiGroup", reference["apiGroup"], [API_GROUP])
    kinds = ["Role", "ClusterRole"] if kind.namespaced else ["ClusterRole"]
    if reference.get("kind") not in kinds:
        yield unsupported("roleRef.kind", reference.get("kind") or "", kinds)
    name = reference.get("name") or ""
    if not name:
        yield required("roleRef.name")
    for unfit in dict.fromkeys(re.findall("[/%]", name)):
        yield wrong("roleRef.name", json.dumps(name), f"may not contain '{unfit}'")
    for index, subject in enumerate(new.get("subjects") or ()):
        yield from _check_subject(subject, f"subjects[{index}]", namespaced=kind.namespaced)


def complete_binding(new: Json) -> None:
    """Fill in, in place, which group a role and subjects are of."""
    new["roleRef"] = _whole(new["roleRef"])
    for subject in new.get("subjects") or ():
        if not subject.get("apiGroup") and _SUBJECTS[subject["kind"]]:
            subject["apiGroup"] = _SUBJECTS[subject["kind"]]


def _whole(reference: Json) -> Json:
    return {
        "apiGroup": reference.get("apiGroup") or API_GROUP,
        **{name: reference.get(name) or "" for name in ("kind", "name")},
    }


def _check_subject(subject: Json, path: str, *, namespaced: bool) -> Iterator[Json]:
    kind, name, group = (subject.get(field) or "" for field in ("kind", "name", "apiGroup"))
    if not name:
        yield required(f"{path}.name")
    if kind not in _SUBJECTS:
        yield unsupported(f"{path}.kind", kind, [*_SUBJECTS])
        return
    if group and group != _SUBJECTS[kind]:
        yield unsupported(f"{path}.apiGroup", group, [_SUBJECTS[kind]])
    if kind == _ACCOUNT and name and (problem := subdomain_problem(name)):
        yield wrong(f"{path}.name", json.dumps(name), problem)
    if kind == _ACCOUNT and not namespaced and not subject.get("namespace"):
        yield required(f"{path}.namespace")


def _check_rule(rule: Json, path: str, *, namespaced: bool) -> Iterator[Json]:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if not urls:
        for field, what in (("apiGroups", "api group"), ("resources", "resource")):
            if not rule.get(field):
                yield required(f"{path}.{field}", f"resource rules must supply at least one {what}")
        return
    shown = json.dumps(urls, separators=(",", ":"))
    if namespaced:
        yield wrong(f"{path}.nonResourceURLs", shown, "namespaced rules cannot apply to non-resource URLs")
    if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
        text = "rules cannot apply to both regular resources and non-resource URLs"
        yield wrong(f"{path}.nonResourceURLs", shown, text)
