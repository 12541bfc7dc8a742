"""Who asks, and whether that is allowed: tokens, impersonation, then RBAC."""

import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from statefuldb.local.api_server.errors import ApiError, forbidden
from statefuldb.local.api_server.rights import rbac, tokens
from statefuldb.local.api_server.rights.rbac import Attempt, Objects, User
from statefuldb.local.api_server.serving.audit import AuditLog
from statefuldb.local.api_server.serving.requests import Target

ADMIN = User("admin", (rbac.MASTERS, rbac.AUTHENTICATED), "admin-uid")
ANONYMOUS = User("system:anonymous", (rbac.UNAUTHENTICATED,))
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


class Headers(Protocol):
    """The headers of a request."""

    def get(self, name: str, default: str) -> str:
        """Return the first value of a header."""

    def getall(self, name: str, default: Sequence[str]) -> Sequence[str]:
        """Return all values of a header."""


class Access:
    """Access to one server, whose administrator has `token`. `audit` hears of each decision."""

    def __init__(self, token: str, objects: Objects, audit: AuditLog) -> None:
        self._token = token
        self._objects = objects
        self._audit = audit

    @property
    def signing_key(self) -> bytes:
        """What tokens of ServiceAccounts are signed with: they end with the administrator's token."""
        return self._token.encode()

    def user(self, headers: Headers) -> User:
        """Return who asks, or who is impersonated. Raises ApiError(401, 403)."""
        user = self._authenticated(headers.get("Authorization", ""))
        name = headers.get("Impersonate-User", "")
        groups = tuple(headers.getall("Impersonate-Group", ()))
        if not name:
            if groups or headers.get("Impersonate-Uid", ""):
                raise ApiError(500, "requested uid or groups without impersonating a user")
            return user
        for attempt in _impersonations(name, groups):
            self._check(user, attempt)
        return _impersonated(name, groups, headers.get("Impersonate-Uid", ""))

    def check(self, user: User, method: str, path: str, target: Target | None, *, watch: bool) -> None:
        """Raise ApiError(403) where a user may not send a request."""
        if target is None:
            self._check(user, Attempt(method.lower(), path=path))
            return
        kind = target.kind
        verb = _VERBS.get(method) or _read_verb(method, target, watch)
        resource = f"{kind.plural}/{target.subresource}" if target.subresource else kind.plural
        self._check(user, Attempt(verb, kind.group, resource, target.namespace, target.name))

    def check_create(self, user: User, target: Target) -> None:
        """Raise ApiError(403), as little as the real one says, where a user may not add what an apply would add."""
        kind, name = target.kind, target.name
        if not self._may(user, Attempt("create", kind.group, kind.plural, target.namespace, name)):
            raise forbidden(kind.plural, kind.group, name, "")

    def _authenticated(self, authorization: str) -> User:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not given:
            return ANONYMOUS
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return ADMIN
        claims = tokens.verify(self.signing_key, given, time.time())
        if claims is None:
            raise ApiError(401, "Unauthorized")
        namespace, name = claims["sub"].removeprefix(rbac.ACCOUNT_PREFIX).split(":")
        held: Mapping[str, object] = self._objects.get(("serviceaccounts", namespace, name), {}).get("metadata", {})
        if held.get("uid") != claims["uid"]:
            raise ApiError(401, "Unauthorized")
        return rbac.account(namespace, name, claims["uid"])

    def _may(self, user: User, attempt: Attempt) -> bool:
        allowed = rbac.granted(self._objects, user, attempt) is not None
        self._audit.decided(user, attempt, allowed=allowed)
        return allowed

    def _check(self, user: User, attempt: Attempt) -> None:
        if self._may(user, attempt):
            return
        who = f'User "{user.name}" cannot {attempt.verb}'
        if attempt.path:
            raise ApiError(403, f'forbidden: {who} path "{attempt.path}"', details={})
        place = f'in the namespace "{attempt.namespace}"' if attempt.namespace else "at the cluster scope"
        why = f'{who} resource "{attempt.resource}" in API group "{attempt.group}" {place}'
        raise forbidden(attempt.resource.partition("/")[0], attempt.group, attempt.name, why)


def _impersonations(name: str, groups: Sequence[str]) -> list[Attempt]:
    """Return what one must be allowed to impersonate."""
    if name.startswith(rbac.ACCOUNT_PREFIX):
        namespace, _, account = name.removeprefix(rbac.ACCOUNT_PREFIX).partition(":")
        first = Attempt("impersonate", "", "serviceaccounts", namespace, account)
    else:
        first = Attempt("impersonate", "", "users", name=name)
    return [first, *(Attempt("impersonate", "", "groups", name=group) for group in groups)]


def _impersonated(name: str, groups: tuple[str, ...], uid: str) -> User:
    if name == ANONYMOUS.name:
        return ANONYMOUS
    if name.startswith(rbac.ACCOUNT_PREFIX) and not groups:
        namespace, _, account = name.removeprefix(rbac.ACCOUNT_PREFIX).partition(":")
        return rbac.account(namespace, account, uid)
    return User(name, tuple(dict.fromkeys((*groups, rbac.AUTHENTICATED))), uid)


def _read_verb(method: str, target: Target, watch: bool) -> str:
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return "get" if target.name else "watch" if watch else "list"
