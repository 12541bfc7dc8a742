"""Reviews: what one may do and who one is. They are answered, never stored."""

from typing import Any

from statefuldb.local.api_server.errors import ApiError, invalid, wrong
from statefuldb.local.api_server.rights import rbac, tokens
from statefuldb.local.api_server.rights.rbac import Attempt, Objects, User
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]


def review(kind: Kind, body: Json, user: User, objects: Objects, now: str) -> Json:
    """Return the answer to a review that `user` sent. Raises ApiError."""
    if body.get("kind", kind.kind) != kind.kind:
        raise ApiError(400, f"{body.get('kind')} cannot be handled as a {kind.kind}")
    answer: Json = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {}}
    spec = body.get("spec") or {}
    match kind.kind:
        case "SelfSubjectReview":
            return {**answer, "metadata": {"creationTimestamp": now}, "status": {"userInfo": _shown(user)}}
        case "SelfSubjectRulesReview":
            return {**answer, "spec": spec, "status": _rules(objects, user, spec.get("namespace", ""))}
        case "SelfSubjectAccessReview":
            subject = user
        case _:
            if not spec.get("user") and not spec.get("groups"):
                cause = wrong("spec.user", '""', "at least one of user or group must be specified")
                raise invalid(kind.kind, kind.group, "", [cause])
            subject = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
    return {**answer, "spec": spec, "status": _allowed(kind, spec, subject, objects)}


def token_request(body: Json, account: Json, key: bytes, now_seconds: float, expires: str) -> Json:
    """Return a TokenRequest's answer: a token of a ServiceAccount. `expires` is the end of its time, as shown."""
    metadata = account["metadata"]
    seconds = token_seconds(body)
    claims = {
        "sub": rbac.account(metadata["namespace"], metadata["name"]).name,
        "uid": metadata["uid"],
        "exp": int(now_seconds) + seconds,
    }
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {name: metadata[name] for name in ("name", "namespace")},
        "spec": {**(body.get("spec") or {}), "expirationSeconds": seconds},
        "status": {"token": tokens.sign(key, claims), "expirationTimestamp": expires},
    }


def token_seconds(body: Json) -> int:
    """Return for how long a token is asked. Raises ApiError(422) below ten minutes, as the real server does."""
    seconds = (body.get("spec") or {}).get("expirationSeconds", tokens.DEFAULT_SECONDS)
    if not isinstance(seconds, int) or seconds < tokens.LEAST_SECONDS:
        cause = wrong("spec.expirationSeconds", str(seconds), "may not specify a duration less than 10 minutes")
        raise invalid("TokenRequest", "authentication.k8s.io", "", [cause])
    return seconds


def _allowed(kind: Kind, spec: Json, subject: User, objects: Objects) -> Json:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if bool(resource) == bool(path):
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise invalid(kind.kind, kind.group, "", [wrong("spec.resourceAttributes", "{}", text)])
    if path:
        attempt = Attempt(path.get("verb", ""), path=path.get("path", "") or "/")
    else:
        asked = resource or {}
        subresource = f"/{asked['subresource']}" if asked.get("subresource") else ""
        wanted = f"{asked.get('resource', '')}{subresource}"
        place, name = asked.get("namespace", ""), asked.get("name", "")
        attempt = Attempt(asked.get("verb", ""), asked.get("group", ""), wanted, place, name)
    why = rbac.granted(objects, subject, attempt)
    return {"allowed": False} if why is None else {"allowed": True, **({"reason": why} if why else {})}


def _rules(objects: Objects, user: User, namespace: str) -> Json:
    rules = rbac.rules_of(objects, user, namespace)
    paths = [rule for rule in rules if rule.get("nonResourceURLs")]
    return {
        "resourceRules": [rule for rule in rules if rule not in paths],
        "nonResourceRules": [{n: rule[n] for n in ("verbs", "nonResourceURLs")} for rule in paths],
        "incomplete": False,
    }


def _shown(user: User) -> Json:
    return {"username": user.name, **({"uid": user.uid} if user.uid else {}), "groups": list(user.groups)}
