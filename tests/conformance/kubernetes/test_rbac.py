"""Rights by roles and bindings: what is granted works, anything else is refused by name; reviews say the same."""

from typing import Any

import pytest

from conformance.kubernetes.kubectl import Kubectl
from conformance.kubernetes.server import MERGE, Answer, Api, eventually
from conformance.kubernetes.things import GROUP, GROUP_NAME, thing

Json = dict[str, Any]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"


def rule(verbs: list[str], resources: list[str], **more: Any) -> Json:
    return {"verbs": verbs, "apiGroups": [GROUP_NAME], "resources": resources, **more}


def as_user(api: Api, user: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    return api.send(method, path, body, Impersonate_User=user, **headers)


def granted(api: Api, namespace: str, user: str, *rules: Json) -> None:
    """Give a user rights in a namespace, and wait until they hold."""
    about = {"name": user, "namespace": namespace}
    roles = f"{RBAC}/namespaces/{namespace}"
    api.made(f"{roles}/roles", {"kind": "Role", "metadata": about, "rules": list(rules)})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user}
    subjects = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}]
    api.made(f"{roles}/rolebindings", {"metadata": about, "roleRef": reference, "subjects": subjects})
    verb, resource = rules[0]["verbs"][0], rules[0]["resources"][0]
    eventually(lambda: allowed(api, user, namespace, verb, resource))


def allowed(api: Api, user: str, namespace: str, verb: str, resource: str, name: str = "") -> bool:
    resource, _, subresource = resource.partition("/")
    asked = {"namespace": namespace, "verb": verb, "group": GROUP_NAME, "resource": resource}
    asked |= {"subresource": subresource, "name": name}
    spec = {"user": user, "resourceAttributes": asked}
    return bool(api.made(f"{REVIEWS}/subjectaccessreviews", {"spec": spec})["status"]["allowed"])


def test_a_role_grants_what_it_names_and_no_more(api: Api, namespace: str, space: str) -> None:
    granted(api, namespace, "ann", rule(["get", "list", "create"], ["things"]))
    assert as_user(api, "ann", "POST", space, thing("one")).status == 201
    assert as_user(api, "ann", "GET", f"{space}/one").status == 200
    assert as_user(api, "ann", "GET", space).status == 200
    for method, path, verb in (
        ("PATCH", f"{space}/one", "patch"),
        ("DELETE", f"{space}/one", "delete"),
        ("DELETE", space, "deletecollection"),
        ("GET", f"{space}?watch=true&timeoutSeconds=1", "watch"),
    ):
        answer = as_user(api, "ann", method, path, {} if method == "PATCH" else None, Content_Type=MERGE)
        assert (answer.status, answer.body["reason"]) == (403, "Forbidden"), verb
        assert f'User "ann" cannot {verb} resource "things"' in answer.body["message"]
    elsewhere = as_user(api, "ann", "GET", f"{GROUP}/namespaces/default/things")
    assert 'in the namespace "default"' in elsewhere.body["message"]
    everywhere = as_user(api, "ann", "GET", f"{GROUP}/things")
    assert everywhere.body["message"].endswith("at the cluster scope")


def test_a_subresource_is_granted_by_itself(api: Api, namespace: str, space: str) -> None:
    granted(api, namespace, "bob", rule(["patch"], ["things/status"]))
    api.made(space, thing("one"))
    body = {"status": {"phase": "x"}}
    assert as_user(api, "bob", "PATCH", f"{space}/one/status", body, Content_Type=MERGE).status == 200
    assert as_user(api, "bob", "PATCH", f"{space}/one", {}, Content_Type=MERGE).status == 403
    assert not allowed(api, "bob", namespace, "patch", "things/scale")


def test_who_may_only_patch_adds_nothing_by_apply(api: Api, namespace: str, space: str) -> None:
    granted(api, namespace, "dan", rule(["patch"], ["things"]))
    path, apply = f"{space}/one?fieldManager=dan", "application/apply-patch+yaml"
    answer = as_user(api, "dan", "PATCH", path, thing("one"), Content_Type=apply)
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"].startswith(f'things.{GROUP_NAME} "one" is forbidden')
    api.made(space, thing("one"))
    assert as_user(api, "dan", "PATCH", path, thing("one"), Content_Type=apply).status == 200


def test_names_bound_a_rule(api: Api, namespace: str, space: str) -> None:
    granted(api, namespace, "cem", rule(["list"], ["things"]), rule(["get"], ["things"], resourceNames=["one"]))
    api.made(space, thing("one"))
    api.made(space, thing("two"))
    assert as_user(api, "cem", "GET", f"{space}/one").status == 200
    assert as_user(api, "cem", "GET", f"{space}/two").status == 403
    assert allowed(api, "cem", namespace, "get", "things", "one")
    assert not allowed(api, "cem", namespace, "get", "things")


def test_a_cluster_role_is_bound_in_one_namespace_or_everywhere(api: Api, namespace: str) -> None:
    name = f"{namespace}-reader"
    labels = {"part": name}
    parts = {"name": f"{name}-part", "labels": labels}
    selected = {"clusterRoleSelectors": [{"matchLabels": labels}]}
    api.made(f"{RBAC}/clusterroles", {"metadata": parts, "rules": [rule(["get"], ["*"])]})
    api.made(f"{RBAC}/clusterroles", {"metadata": {"name": name}, "aggregationRule": selected, "rules": []})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    group = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": f"{name}s"}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [group]}
    try:
        api.made(f"{RBAC}/namespaces/{namespace}/rolebindings", binding)
        here, there = (f"{GROUP}/namespaces/{place}/things/none" for place in (namespace, "default"))
        groups = {"Impersonate_Group": f"{name}s"}
        eventually(lambda: as_user(api, "dan", "GET", here, **groups).status == 404)
        assert as_user(api, "dan", "GET", there, **groups).status == 403
        api.made(f"{RBAC}/clusterrolebindings", binding)
        eventually(lambda: as_user(api, "dan", "GET", there, **groups).status == 404)
        assert as_user(api, "dan", "GET", there).status == 403
    finally:
        for path in (f"clusterrolebindings/{name}", f"clusterroles/{name}", f"clusterroles/{name}-part"):
            api.call("DELETE", f"{RBAC}/{path}")


def may_write_roles(api: Api, namespace: str, user: str, *more: Json) -> None:
    """Let a user read things, and write roles and bindings."""
    verbs = ["get", "create", "update", "patch"]
    roles = {**rule(verbs, ["roles", "rolebindings"]), "apiGroups": ["rbac.authorization.k8s.io"]}
    granted(api, namespace, user, rule(["get", "list"], ["things"]), roles, *more)


def bind(role: str, name: str, kind: str = "Role") -> Json:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
    return {"metadata": {"name": name}, "roleRef": reference, "subjects": []}


def test_nobody_grants_by_a_role_what_is_not_its_own(api: Api, namespace: str) -> None:
    may_write_roles(api, namespace, "gil")
    roles = f"{RBAC}/namespaces/{namespace}/roles"
    mine = {"metadata": {"name": "mine"}, "rules": [rule(["get"], ["things"], resourceNames=["one"])]}
    assert as_user(api, "gil", "POST", roles, mine).status == 201
    more = {"metadata": {"name": "more"}, "rules": [rule(["get", "delete", "update"], ["things"])]}
    answer = as_user(api, "gil", "POST", roles, more)
    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    said = f'{{APIGroups:["{GROUP_NAME}"], Resources:["things"], Verbs:["delete" "update"]}}'
    assert answer.body["message"] == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "gil" (groups=["system:authenticated"]) '
        f"is attempting to grant RBAC permissions not currently held:\n{said}"
    )
    patch = {"rules": more["rules"]}
    assert as_user(api, "gil", "PATCH", f"{roles}/mine", patch, Content_Type=MERGE).status == 403
    label = {"metadata": {"labels": {"seen": "yes"}}}
    assert as_user(api, "gil", "PATCH", f"{roles}/mine", label, Content_Type=MERGE).status == 200
    everything = {"metadata": {"name": "all"}, "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}
    assert as_user(api, "gil", "POST", roles, everything).status == 403
    api.made(roles, more)


def test_who_may_escalate_grants_what_it_lacks(api: Api, namespace: str) -> None:
    escalate = {"verbs": ["escalate"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]}
    may_write_roles(api, namespace, "hua", escalate)
    more = {"metadata": {"name": "more"}, "rules": [rule(["delete"], ["things"])]}
    assert as_user(api, "hua", "POST", f"{RBAC}/namespaces/{namespace}/roles", more).status == 201


def test_nobody_binds_a_role_of_rights_that_are_not_its_own_unless_it_may_bind(api: Api, namespace: str) -> None:
    bind_more = {"verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]}
    may_write_roles(api, namespace, "ira", {**bind_more, "resourceNames": ["more"]})
    place = f"{RBAC}/namespaces/{namespace}"
    for name, verb in (("less", "get"), ("more", "delete"), ("other", "delete")):
        api.made(f"{place}/roles", {"metadata": {"name": name}, "rules": [rule([verb], ["things"])]})
    statuses = {
        name: as_user(api, "ira", "POST", f"{place}/rolebindings", bind(name, name)).status
        for name in ("less", "more", "other", "absent")
    }
    assert statuses == {"less": 201, "more": 201, "other": 403, "absent": 404}
    answer = as_user(api, "ira", "POST", f"{place}/rolebindings", bind("cluster-admin", "admin", "ClusterRole"))
    assert answer.status == 403
    assert "is attempting to grant RBAC permissions not currently held" in answer.body["message"]


def test_only_who_may_impersonates(api: Api, space: str) -> None:
    """A bearer of no rights cannot take those of another."""
    namespace = space.split("/")[-2]
    token = account_token(api, namespace, "poor")
    answer = api.unknown(space, {"Authorization": f"Bearer {token}", "Impersonate-User": "ann"})
    assert answer.status == 403
    # What follows differs: from 1.36 on a server tries first whether the one request may be made in that name.
    assert "cannot impersonate" in answer.body["message"]


def account_token(api: Api, namespace: str, name: str) -> str:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    api.made(accounts, {"metadata": {"name": name}})
    asked = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {"expirationSeconds": 600}}
    answer = api.made(f"{accounts}/{name}/token", asked)
    assert answer["status"]["expirationTimestamp"]
    return str(answer["status"]["token"])


def test_an_account_asks_by_its_token_while_it_is_there(api: Api, namespace: str, space: str) -> None:
    bearer = {"Authorization": f"Bearer {account_token(api, namespace, 'runner')}"}
    refused = api.unknown(space, bearer)
    assert refused.status == 403
    assert f'User "system:serviceaccount:{namespace}:runner" cannot list' in refused.body["message"]
    place = f"{RBAC}/namespaces/{namespace}"
    api.made(f"{place}/roles", {"metadata": {"name": "lister"}, "rules": [rule(["list"], ["things"])]})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lister"}
    subjects = [{"kind": "ServiceAccount", "name": "runner", "namespace": namespace}]
    api.made(f"{place}/rolebindings", {"metadata": {"name": "l"}, "roleRef": reference, "subjects": subjects})
    eventually(lambda: api.unknown(space, bearer).status == 200)
    api.call("DELETE", f"/api/v1/namespaces/{namespace}/serviceaccounts/runner")
    eventually(lambda: api.unknown(space, bearer).status == 401)


def test_a_token_is_asked_for_ten_minutes_at_least(api: Api, namespace: str) -> None:
    account_token(api, namespace, "brief")
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/brief/token"
    status, answer = api.call("POST", path, {"spec": {"expirationSeconds": 60}})
    assert (status, answer["reason"]) == (422, "Invalid")


@pytest.mark.kubectl
@pytest.mark.parametrize(("user", "word"), [("root", "yes"), ("nobody", "no")])
def test_kubectl_asks_for_another(api: Api, namespace: str, kubectl: Kubectl, user: str, word: str) -> None:
    if word == "yes":
        granted(api, namespace, user, rule(["create"], ["things"]))
    said = kubectl.run("auth", "can-i", "create", f"things.{GROUP_NAME}", "--as", user)
    assert said.out.strip() == word
    assert said.code == (0 if word == "yes" else 1)


@pytest.mark.kubectl
def test_kubectl_lists_rights_and_makes_tokens(api: Api, namespace: str, kubectl: Kubectl) -> None:
    granted(api, namespace, "eve", rule(["get", "list"], ["things"]))
    listed = kubectl.ok("auth", "can-i", "--list", "--as", "eve")
    assert f"things.{GROUP_NAME}" in listed
    assert "[get list]" in listed
    kubectl.ok("create", "serviceaccount", "sa")
    assert kubectl.ok("create", "token", "sa", "--duration", "20m").count(".") >= 1
    assert f"system:serviceaccount:{namespace}:sa" in kubectl.ok(
        "auth", "whoami", "--as", f"system:serviceaccount:{namespace}:sa"
    )
