"""charts/statefuldb with `sync`: what it starts, what that may do, and where its login lies."""

from chart import MASTERS, NAMESPACE, one, rendered
from integration.chart.values import EVERYTHING, OPERATOR, SYNC, SYNCING, container, options


def test_sync_understands_what_it_is_started_with() -> None:
    known = {"": options(), "sync": options("sync", "run")}
    for values in (SYNCING, EVERYTHING):
        arguments = container(rendered(values), SYNC)["args"]
        command = arguments.index("sync")
        assert arguments[command + 1] == "run"
        assert arguments[command + 2] == values["sync"]["source"]
        assert {argument.partition("=")[0] for argument in arguments[:command]} <= known[""]
        assert {argument.partition("=")[0] for argument in arguments[command + 3 :]} <= known["sync"]


def test_sync_is_off_unless_wanted_and_has_nothing_in_common_with_the_operator() -> None:
    assert not [o for o in rendered(MASTERS) if "sync" in o["metadata"]["name"]]
    objects = rendered(SYNCING)
    accounts, selectors = set(), []
    for name in (OPERATOR, SYNC):
        spec = one(objects, "Deployment", name)["spec"]
        accounts.add(spec["template"]["spec"]["serviceAccountName"])
        selectors.append(spec["selector"]["matchLabels"])
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
    assert accounts == {OPERATOR, SYNC} == {o["metadata"]["name"] for o in objects if o["kind"] == "ServiceAccount"}
    assert not selectors[0].items() <= selectors[1].items(), "its pod would count as an operator"


def test_what_is_set_of_sync_arrives_and_its_login_is_a_file() -> None:
    objects = rendered(EVERYTHING)
    held = container(objects, SYNC)
    for argument in (
        *("--namespace=shop", "--revision=v1.2", "--path=prod/databases", "--interval=5m", "--prune"),
        *("--name=production", "--git-credentials=/etc/statefuldb/git"),
    ):
        assert argument in held["args"]
    assert not held.get("env")
    pod = one(objects, "Deployment", SYNC)["spec"]["template"]["spec"]
    (volume,) = [volume for volume in pod["volumes"] if "secret" in volume]
    assert volume["secret"] == {"secretName": "git", "defaultMode": 0o440}
    (mount,) = [mount for mount in held["volumeMounts"] if mount["name"] == volume["name"]]
    assert mount == {"name": volume["name"], "mountPath": "/etc/statefuldb/git", "readOnly": True}


def test_sync_may_do_little_by_default() -> None:
    """No ConfigMap but its record, no Namespace, nothing to delete; where namespaces are named, nothing elsewhere."""
    for values, kind in ((SYNCING, "ClusterRole"), ({**SYNCING, "watchNamespaces": ["shop"]}, "Role")):
        objects = rendered(values)
        roles = [o for o in objects if o["kind"] in ("Role", "ClusterRole") and o["metadata"]["name"].startswith(SYNC)]
        (role,) = [o for o in roles if o["metadata"].get("namespace") != NAMESPACE]
        assert role["kind"] == kind
        databases = {"apiGroups": ["statefuldb.dev"], "resources": ["statefuldatabases"]}
        assert role["rules"] == [{**databases, "verbs": ["list", "create", "patch"]}]
