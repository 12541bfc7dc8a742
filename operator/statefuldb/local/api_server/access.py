"""Who may do what: one administrator by token; anyone else may ask for health and version only."""

import hmac

from statefuldb.local.api_server.errors import ApiError, forbidden
from statefuldb.local.api_server.requests import Target

_PUBLIC = ("/readyz", "/livez", "/healthz", "/version", "/version/")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


def check_access(authorization: str, token: str, method: str, path: str, target: Target | None, watch: bool) -> None:
    """Raise ApiError where a request is not the administrator's."""
    if path in _PUBLIC or hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        return
    if authorization:
        raise ApiError(401, "Unauthorized")
    user = 'User "system:anonymous" cannot'
    if target is None:
        raise ApiError(403, f'forbidden: {user} {method.lower()} path "{path}"', details={})
    kind = target.kind
    verb = _VERBS.get(method) or _read_verb(method, target, watch)
    resource = f"{kind.plural}/{target.subresource}" if target.subresource else kind.plural
    place = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    why = f'{user} {verb} resource "{resource}" in API group "{kind.group}" {place}'
    raise forbidden(kind.plural, kind.group, target.name, why)


def _read_verb(method: str, target: Target, watch: bool) -> str:
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return "get" if target.name else "watch" if watch else "list"
