"""Validating webhooks: who is asked about which write, with what, and what a client is told."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.kubernetes.hooks import (
    CONFIGURATIONS,
    EVERY_WRITE,
    NAME,
    Hook,
    asked,
    configuration,
    denied,
    hooked,
    labelled,
)
from conformance.kubernetes.kubectl import Kubectl
from conformance.kubernetes.server import APPLY, Api, eventually
from conformance.kubernetes.things import GROUP_NAME, thing

Json = dict[str, Any]


def test_a_no_is_told_and_nothing_is_stored(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any], kubectl: Kubectl
) -> None:
    with hooked(api, hook, namespace, probe):
        hook.judge = denied("spec.engine: is out of stock", 403)
        answer = api.send("POST", space, thing("one"))
        assert answer.status == 403
        assert f'admission webhook "{NAME}" denied the request: spec.engine: is out of stock' in answer.body["message"]
        assert api.call("GET", f"{space}/one")[0] == 404
        said = kubectl.run("create", "-f", "-", given=kubectl_manifest("one"))
        assert said.code == 1
        assert "Error from server" in said.error
        assert f'admission webhook "{NAME}" denied the request: spec.engine: is out of stock' in said.error
        hook.judge = denied("")
        assert (
            f'admission webhook "{NAME}" denied the request without explanation'
            in api.call("POST", space, thing("x"))[1]["message"]
        )
        hook.judge = denied("is gone", 410)
        assert api.call("POST", space, thing("one"))[0] == 410
        hook.judge = lambda request: {"allowed": True}
        assert api.call("POST", space, thing("one"))[0] == 201


def kubectl_manifest(name: str) -> str:
    return f"apiVersion: {GROUP_NAME}/v1\nkind: Thing\nmetadata: {{name: {name}}}\nspec: {{engine: mysql}}\n"


def test_a_review_says_what_is_written_onto_what_and_by_whom(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any]
) -> None:
    rules = [{**EVERY_WRITE, "resources": ["things", "things/status"]}]
    with hooked(api, hook, namespace, probe, rules=rules, timeoutSeconds=7):
        api.made(space, thing("one"))
        api.patched(f"{space}/one?dryRun=All", {"spec": {"replicas": 4}})
        api.patched(f"{space}/one/status", {"status": {"phase": "x"}})
        api.call("DELETE", f"{space}/one")
        assert asked(hook) == [
            ("CREATE", "one", ""),
            ("UPDATE", "one", ""),
            ("UPDATE", "one", "status"),
            ("DELETE", "one", ""),
        ]
        created, changed, reported, deleted = hook.heard
    assert created["path"].endswith("/judge?timeout=7s")
    assert created["kind"] == created["requestKind"] == {"group": GROUP_NAME, "version": "v1", "kind": "Thing"}
    assert created["resource"] == {"group": GROUP_NAME, "version": "v1", "resource": "things"}
    assert (created["namespace"], created["dryRun"], created["oldObject"]) == (namespace, False, None)
    assert created["object"]["spec"]["replicas"] == 1, "defaults are in"
    assert created["userInfo"]["username"]
    assert "system:authenticated" in created["userInfo"]["groups"]
    assert created["options"]["kind"] == "CreateOptions"
    assert changed["dryRun"] is True
    assert (changed["object"]["spec"]["replicas"], changed["oldObject"]["spec"]["replicas"]) == (4, 1)
    assert changed["options"]["kind"] == "UpdateOptions"
    assert reported["requestSubResource"] == "status"
    assert (reported["object"]["status"], reported["object"]["spec"]["replicas"]) == ({"phase": "x"}, 1)
    assert deleted["object"] is None
    assert deleted["oldObject"]["status"] == {"phase": "x"}
    assert deleted["options"]["kind"] == "DeleteOptions"


def test_warnings_are_told_with_a_yes_and_with_a_no(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any]
) -> None:
    with hooked(api, hook, namespace, probe):
        hook.judge = lambda request: {"allowed": True, "warnings": ['spec.version: "16" is old']}
        answer = api.send("POST", space, thing("one"))
        assert answer.status == 201
        assert answer.warnings == ['299 - "spec.version: \\"16\\" is old"']
        hook.judge = denied("no", warnings=["and never will be"])
        answer = api.send("DELETE", f"{space}/one")
        assert (answer.status, answer.warnings) == (403, ['299 - "and never will be"'])


@pytest.mark.parametrize("policy", ["Fail", "Ignore", None])
def test_a_webhook_that_is_not_there_stops_writes_unless_its_failure_is_ignored(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any], policy: str | None
) -> None:
    more = {"failurePolicy": policy} if policy else {}
    with hooked(api, hook, namespace, probe, **more):
        hook.shutdown()
        hook.server_close()
        answer = api.send("POST", space, thing("one"))
        if policy == "Ignore":
            assert answer.status == 201
            return
        assert (answer.status, answer.body["reason"]) == (500, "InternalError")
        said = answer.body["message"]
        assert said.startswith(
            f'Internal error occurred: failed calling webhook "{NAME}": failed to call webhook: Post '
        )
        assert "connection refused" in said


@pytest.mark.parametrize(
    ("answer", "seconds", "said"),
    [
        (lambda request: {"uid": "another", "allowed": True}, 30, "expected response.uid"),
        (lambda request: {"allowed": threading.Event().wait(3)}, 1, "context deadline exceeded"),
    ],
    ids=["another's", "too late"],
)
def test_an_answer_that_is_none_is_a_failure(
    *,
    api: Api,
    namespace: str,
    space: str,
    hook: Hook,
    probe: Callable[[], Any],
    answer: Callable[[Json], Json],
    seconds: int,
    said: str,
) -> None:
    with hooked(api, hook, namespace, probe, timeoutSeconds=seconds):
        hook.judge = answer
        status, body = api.call("POST", space, thing("one"))
        assert status == 500
        assert said in body["message"]


def test_a_certificate_of_another_authority_is_a_failure(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any], tmp_path: Path
) -> None:
    with hooked(api, hook, namespace, probe):
        other = Hook(tmp_path / "other")
        other.server_close()
        patch = [{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": other.authority}]
        api.patched(f"{CONFIGURATIONS}/{namespace}", patch, "application/json-patch+json")
        refused = eventually(
            lambda: (answer := api.send("POST", f"{space}?dryRun=All", thing("x"))).status == 500 and answer
        )
        assert "certificate" in refused.body["message"]


def test_what_changes_while_a_webhook_is_asked_is_not_overwritten(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any]
) -> None:
    """A patch is asked about again, and goes onto what is stored then; a PUT of a version that is gone is refused."""
    api.made(space, thing("one"))
    others = iter(["a", "b"])
    with hooked(api, hook, namespace, probe, matchConditions=[NOT_BY_OTHERS]):

        def meddle(request: Json) -> Json:
            other = next(others, "")
            if other:
                headers = {"Impersonate_User": "other", "Impersonate_Group": "system:masters"}
                assert labelled(api, f"{space}/one", {other: "set"}, **headers) == 200
            return {"allowed": True}

        hook.judge = meddle
        patched = api.patched(f"{space}/one", {"spec": {"replicas": 3}})
        assert patched["metadata"]["labels"] == {"a": "set", "b": "set"}
        assert len(hook.heard) == 3
        others = iter(["c"])
        status, body = api.call("PUT", f"{space}/one", {**patched, "spec": {**patched["spec"], "replicas": 4}})
        assert (status, body["reason"]) == (409, "Conflict")
        assert api.call("GET", f"{space}/one")[1]["spec"]["replicas"] == 3


NOT_BY_OTHERS = {"name": "not-by-others", "expression": "request.userInfo.username != 'other'"}


def test_apply_and_the_deletion_of_many_are_asked_about(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any]
) -> None:
    with hooked(api, hook, namespace, probe):
        for name in ("one", "two"):
            answer = api.send("PATCH", f"{space}/{name}?fieldManager=me", thing(name), Content_Type=APPLY)
            assert answer.status == 201
        more = thing("one", replicas=2)
        assert api.send("PATCH", f"{space}/one?fieldManager=me", more, Content_Type=APPLY).status == 200
        assert asked(hook) == [("CREATE", "one", ""), ("CREATE", "two", ""), ("UPDATE", "one", "")]
        assert api.call("DELETE", space)[0] == 200
        assert asked(hook)[3:] == [("DELETE", "", "")] * 2, "the request names no object"
        assert sorted(request["oldObject"]["metadata"]["name"] for request in hook.heard[3:]) == ["one", "two"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sideEffects": None}, "webhooks[0].sideEffects"),
        ({"sideEffects": "Some"}, "webhooks[0].sideEffects"),
        ({"admissionReviewVersions": ["v7"]}, "webhooks[0].admissionReviewVersions"),
        ({"name": "short"}, "webhooks[0].name"),
        ({"timeoutSeconds": 31}, "webhooks[0].timeoutSeconds"),
        ({"failurePolicy": "Maybe"}, "webhooks[0].failurePolicy"),
        ({"clientConfig": {}}, "webhooks[0].clientConfig"),
        ({"clientConfig": {"url": "http://127.0.0.1:1/"}}, "webhooks[0].clientConfig.url"),
        ({"matchConditions": [{"name": "a", "expression": "object."}]}, "webhooks[0].matchConditions[0].expression"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_configuration_that_makes_no_sense_is_refused(api: Api, namespace: str, change: Json, field: str) -> None:
    body = configuration(namespace, {"url": "https://127.0.0.1:1/"}, **change)
    status, answer = api.call("POST", CONFIGURATIONS, body)
    assert (status, answer["reason"]) == (422, "Invalid")
    assert field in [cause["field"] for cause in answer["details"]["causes"]]


def test_what_a_configuration_leaves_out_is_filled_in(api: Api, namespace: str) -> None:
    client = {"service": {"namespace": namespace, "name": "none"}}
    body = configuration(namespace, client)
    del body["webhooks"][0]["timeoutSeconds"]
    stored = api.made(f"{CONFIGURATIONS}?dryRun=All", body)["webhooks"][0]
    filled = {name: stored[name] for name in ("failurePolicy", "matchPolicy", "timeoutSeconds", "objectSelector")}
    assert filled == {"failurePolicy": "Fail", "matchPolicy": "Equivalent", "timeoutSeconds": 10, "objectSelector": {}}
    assert stored["rules"][0]["scope"] == "*"
    assert stored["clientConfig"]["service"]["port"] == 443
