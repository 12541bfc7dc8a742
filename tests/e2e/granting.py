"""What a chart's roles grant an account, one by one, to be compared with what the account was seen to ask for."""

from e2e.conftest import Json

Need = tuple[str, str, str, str, str]


def granted(objects: list[Json], account: str) -> set[Need]:
    """Return what is granted to a ServiceAccount: namespace, group, resource, name, verb; "" is any of them."""
    roles = {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o["rules"]
        for o in objects
        if o["kind"] in ("Role", "ClusterRole")
    }
    found: set[Need] = set()
    for body in objects:
        if body["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            place = body["metadata"].get("namespace", "")
            role = body["roleRef"]
            if any(subject["name"] == account for subject in body["subjects"]):
                found |= _needs(roles[role["kind"], place if role["kind"] == "Role" else "", role["name"]], place)
    assert found, f"nothing is granted to {account}"
    return found


def idle(objects: list[Json], account: str, asked: list[Json]) -> list[Need]:
    """Return what is granted and was never asked for."""
    return sorted(need for need in granted(objects, account) if not any(_covers(need, a) for a in asked))


def forbidden(asked: list[Json]) -> list[Json]:
    """Return what was asked for and refused."""
    return [a for a in asked if a["annotations"]["authorization.k8s.io/decision"] == "forbid"]


def _needs(rules: list[Json], namespace: str) -> set[Need]:
    return {
        (namespace, group, resource, name, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    }


def _covers(need: Need, asked: Json) -> bool:
    about = asked["objectRef"]
    resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
    namespace, group, wanted, name, verb = need
    return (
        namespace in ("", about.get("namespace", ""))
        and (group, wanted) == (about.get("apiGroup", ""), resource)
        and verb in _verbs(asked)
        and name in ("", about.get("name", ""))
    )


def _verbs(asked: Json) -> tuple[str, ...]:
    """Return what was asked for. A real API server tells of a patch alone where that made the object."""
    made = asked["verb"] == "patch" and asked.get("responseStatus", {}).get("code") == 201
    return (asked["verb"], "create") if made else (asked["verb"],)
