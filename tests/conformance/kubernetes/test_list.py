"""Lists: selectors, pages, versions."""

import pytest

from conformance.kubernetes.server import Api
from conformance.kubernetes.things import GROUP, fields, labelled, names, thing


@pytest.fixture
def five(api: Api, space: str) -> str:
    """Five things with labels l0 to l4; the odd ones are of mysql."""
    for number in range(5):
        engine = "mysql" if number % 2 else "postgres"
        api.made(space, labelled(f"l{number}", {"app": "l", "tier": str(number)}, engine=engine))
    return space


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("labelSelector=tier in (1,3)", "13"),
        ("labelSelector=tier notin (1,3),app", "024"),
        ("labelSelector=app=l,!tier", ""),
        ("labelSelector=tier>2", "34"),
        ("labelSelector=tier<2", "01"),
        ("labelSelector=app==l,tier!=0", "1234"),
        ("labelSelector=absent!=x", "01234"),
        ("fieldSelector=metadata.name=l1", "1"),
        ("fieldSelector=metadata.name!=l1&labelSelector=app=l", "0234"),
        ("fieldSelector=spec.engine=mysql", "13"),
        ("fieldSelector=spec.engine==mysql,metadata.name=l3", "3"),
        ("resourceVersion=0&limit=2&labelSelector=app=l", "01234"),
        ("limit=-1", "01234"),
        ("pretty=true&limit=1", "0"),
    ],
)
def test_selectors(api: Api, five: str, query: str, found: str) -> None:
    if "labelSelector" in query:
        query = query.replace(">", "%3E").replace("<", "%3C")
    status, listed = api.call("GET", f"{five}?{query}")
    assert status == 200
    assert names(listed) == [f"l{number}" for number in found]


def test_a_selector_on_the_namespace(api: Api, five: str) -> None:
    namespace = five.split("/")[-2]
    listed = api.call("GET", f"{GROUP}/things?fieldSelector=metadata.namespace={namespace}")[1]
    assert len(names(listed)) == 5


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("labelSelector=a b c", 400, "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("fieldSelector=spec.replicas=1", 400, "field label not supported: spec.replicas"),
        ("fieldSelector=bogus", 400, "invalid selector: 'bogus'; can't understand 'bogus'"),
        ("limit=2&continue=garbage", 400, "invalid continue token: continue key is not valid: "),
        ("limit=abc", 400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ("resourceVersionMatch=Exact", 422, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        ("resourceVersion=1&resourceVersionMatch=Exact", 410, "The resourceVersion for the provided list is too old."),
        ("resourceVersion=99999999", 504, "Timeout: Too large resource version: 99999999, current: "),
        ("resourceVersion=99999999&resourceVersionMatch=NotOlderThan", 504, "Timeout: Too large resource version"),
    ],
)
def test_lists_that_are_refused(api: Api, space: str, query: str, status: int, message: str) -> None:
    reasons = {400: "BadRequest", 422: "Invalid", 410: "Expired", 504: "Timeout"}
    code, error = api.call("GET", f"{space}?{query}")
    if (code, status) == (200, 410):
        pytest.skip("this server is so young that it still knows its first version")
    assert (code, error["reason"]) == (status, reasons[status])
    assert message in error["message"]
    if status == 422:
        assert fields(error) == ["resourceVersionMatch"]
    if status == 504:
        assert error["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"


def test_pages_fit_together(api: Api, five: str) -> None:
    _, first = api.call("GET", f"{five}?labelSelector=app=l&limit=2")
    assert names(first) == ["l0", "l1"]
    assert "remainingItemCount" not in first["metadata"], "not known with a selector"
    _, second = api.call("GET", f"{five}?labelSelector=app=l&limit=2&continue={first['metadata']['continue']}")
    assert names(second) == ["l2", "l3"]
    _, last = api.call("GET", f"{five}?labelSelector=app=l&limit=2&continue={second['metadata']['continue']}")
    assert names(last) == ["l4"]
    assert not last["metadata"].get("continue")
    assert api.call("GET", f"{five}?limit=2")[1]["metadata"]["remainingItemCount"] == 3


def test_pages_show_one_moment(api: Api, five: str) -> None:
    _, first = api.call("GET", f"{five}?limit=2")
    api.call("DELETE", f"{five}/l3")
    api.made(five, thing("l25"))
    api.patched(f"{five}/l4", {"spec": {"replicas": 9}})
    _, rest = api.call("GET", f"{five}?continue={first['metadata']['continue']}")
    assert names(rest) == ["l2", "l3", "l4"]
    assert rest["items"][2]["spec"]["replicas"] == 1
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_list_of_an_exact_version(api: Api, five: str) -> None:
    version = api.call("GET", five)[1]["metadata"]["resourceVersion"]
    api.call("DELETE", f"{five}/l0")
    _, then = api.call("GET", f"{five}?resourceVersion={version}&resourceVersionMatch=Exact")
    assert names(then) == ["l0", "l1", "l2", "l3", "l4"]
    assert names(api.call("GET", five)[1]) == ["l1", "l2", "l3", "l4"]


def test_envelopes(api: Api, five: str) -> None:
    _, listed = api.call("GET", f"{five}?limit=1")
    assert (listed["kind"], listed["apiVersion"]) == ("ThingList", "conformance.statefuldb.dev/v1")
    assert listed["items"][0]["kind"] == "Thing"
    _, listed = api.call("GET", "/api/v1/namespaces?limit=1")
    assert (listed["kind"], listed["apiVersion"]) == ("NamespaceList", "v1")
    assert "kind" not in listed["items"][0], "items of built-in kinds do not say what they are"


def test_a_list_without_more_says_so_only_for_custom_kinds(api: Api, space: str, core: str) -> None:
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    assert api.call("GET", space)[1]["metadata"]["continue"] == ""
    assert "continue" not in api.call("GET", f"{core}/configmaps")[1]["metadata"]
    told = api.send("GET", space, Accept=partial).body
    assert (told["items"], "continue" in told["metadata"]) == (None, False)
