"""Which writes a validating webhook is asked about: by rules, labels, namespaces and conditions."""

from collections.abc import Callable
from typing import Any

from conformance.kubernetes.hooks import (
    EVERY_WRITE,
    Hook,
    asked,
    denied,
    hooked,
    labelled,
)
from conformance.kubernetes.server import MERGE, Api
from conformance.kubernetes.things import thing

Json = dict[str, Any]


def test_rules_say_which_writes_a_webhook_is_asked_about(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any]
) -> None:
    rules = [
        {**EVERY_WRITE, "operations": ["CREATE"], "scope": "Namespaced"},
        {**EVERY_WRITE, "operations": ["DELETE"], "scope": "Cluster"},
        {**EVERY_WRITE, "operations": ["UPDATE"], "resources": ["*/scale"]},
        {**EVERY_WRITE, "apiGroups": ["elsewhere.example.org"]},
    ]
    with hooked(api, hook, namespace, probe, rules=rules):
        api.made(space, thing("one"))
        api.patched(f"{space}/one", {"spec": {"replicas": 4}})
        api.patched(f"{space}/one/status", {"status": {"phase": "x"}})
        api.patched(f"{space}/one/scale", {"spec": {"replicas": 2}})
        api.call("DELETE", f"{space}/one")
        assert asked(hook) == [("CREATE", "one", ""), ("UPDATE", "one", "scale")]
        scale = hook.heard[-1]
    assert scale["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert scale["object"]["spec"] == {"replicas": 2}


def test_labels_say_which_objects_a_webhook_is_asked_about(api: Api, namespace: str, space: str, hook: Hook) -> None:
    """Those before and after count: nobody slips away by taking a label off."""
    selector = {"matchExpressions": [{"key": "judged", "operator": "In", "values": ["yes"]}]}
    probe = {**thing("probe"), "metadata": {"name": "probe", "labels": {"judged": "yes"}}}
    with hooked(api, hook, namespace, lambda: api.call("POST", f"{space}?dryRun=All", probe), objectSelector=selector):
        api.made(space, thing("one"))
        labelled(api, f"{space}/one", {"judged": "no"})
        labelled(api, f"{space}/one", {"judged": "yes"})
        labelled(api, f"{space}/one", {"judged": None})
        labelled(api, f"{space}/one", {"seen": "yes"})
        assert [
            request["object"]["metadata"]["labels"].get("judged")
            for request in hook.heard
            if request["object"]["metadata"].get("labels")
        ] == ["yes"]
        assert len(hook.heard) == 2


def test_another_namespace_is_none_of_its_business(
    api: Api, namespace: str, space: str, hook: Hook, probe: Callable[[], Any]
) -> None:
    with hooked(api, hook, namespace, probe):
        hook.judge = denied("no")
        elsewhere = space.replace(namespace, "default")
        assert api.call("POST", f"{elsewhere}?dryRun=All", thing("one"))[0] == 201
        assert api.call("POST", f"{space}?dryRun=All", thing("one"))[0] == 403


def test_conditions_say_which_writes_a_webhook_is_asked_about(api: Api, namespace: str, space: str, hook: Hook) -> None:
    conditions = [
        {"name": "not-by-robots", "expression": "!request.userInfo.username.startsWith('robot')"},
        {"name": "spec", "expression": "request.operation != 'UPDATE' || object.spec != oldObject.spec"},
    ]
    probe = {**thing("probe"), "spec": {"engine": "mysql"}}
    with hooked(
        api, hook, namespace, lambda: api.call("POST", f"{space}?dryRun=All", probe), matchConditions=conditions
    ):
        api.made(space, thing("one"))
        assert labelled(api, f"{space}/one", {"a": "b"}) == 200
        api.patched(f"{space}/one", {"spec": {"replicas": 3}})
        headers = {"Impersonate_User": "robot-1", "Impersonate_Group": "system:masters"}
        assert api.send("PATCH", f"{space}/one", {"spec": {"replicas": 5}}, Content_Type=MERGE, **headers).status == 200
        assert asked(hook) == [("CREATE", "one", ""), ("UPDATE", "one", "")]
