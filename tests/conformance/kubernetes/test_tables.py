"""Tables and metadata alone, as kubectl and controllers ask for them."""

import pytest

from conformance.kubernetes.server import MERGE, Api
from conformance.kubernetes.things import labelled, thing

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def test_a_table_has_the_columns_of_the_definition(api: Api, space: str) -> None:
    api.made(space, labelled("a", {"app": "l"}))
    api.made(space, labelled("b", {"app": "l"}, engine="mysql"))
    table = api.send("GET", f"{space}?labelSelector=app=l&limit=1", Accept=TABLE).body
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert table["metadata"]["continue"]
    shown = [(c["name"], c["type"], c["format"], c["priority"]) for c in table["columnDefinitions"]]
    assert shown == [
        ("Name", "string", "name", 0),
        ("Engine", "string", "", 0),
        ("Replicas", "integer", "", 0),
        ("Phase", "string", "", 0),
        ("Version", "string", "", 1),
        ("Ready", "string", "", 0),
        ("Age", "date", "", 0),
    ]
    (row,) = table["rows"]
    assert row["cells"][:-1] == ["a", "postgres", 1, None, "16", None]
    assert row["cells"][-1].endswith("s"), "an age"
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert "spec" not in row["object"]


def test_a_condition_is_found_by_its_type(api: Api, space: str) -> None:
    api.made(space, thing("a"))
    conditions = [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]
    api.patched(f"{space}/a/status", {"status": {"phase": "Up", "conditions": conditions}})
    table = api.send("GET", f"{space}/a", Accept=TABLE).body
    assert table["rows"][0]["cells"][:-1] == ["a", "postgres", 1, "Up", "16", "True"]


@pytest.mark.parametrize(
    ("include", "kind"), [("Object", "Thing"), ("Metadata", "PartialObjectMetadata"), ("None", "")]
)
def test_rows_carry_what_is_asked_for(api: Api, space: str, include: str, kind: str) -> None:
    api.made(space, thing("a"))
    for path in (f"{space}/a", space):
        (row,) = api.send("GET", f"{path}?includeObject={include}", Accept=TABLE).body["rows"]
        assert (row.get("object") or {}).get("kind", "") == kind


def test_an_error_stays_a_status_and_a_patch_is_shown_as_a_table(api: Api, space: str) -> None:
    api.made(space, thing("a"))
    answer = api.send("GET", f"{space}/nope", Accept=TABLE)
    assert (answer.status, answer.body["kind"]) == (404, "Status")
    answer = api.send("PATCH", f"{space}/a", {"spec": {"replicas": 2}}, Accept=TABLE, Content_Type=MERGE)
    assert (answer.body["kind"], answer.body["rows"][0]["cells"][2]) == ("Table", 2)


def test_metadata_alone(api: Api, space: str) -> None:
    made = api.made(space, labelled("a", {"app": "l"}))
    one = api.send("GET", f"{space}/a", Accept=PARTIAL).body
    assert one == {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}
    listed = api.send("GET", space, Accept=PARTIAL_LIST).body
    assert (listed["kind"], listed["items"]) == ("PartialObjectMetadataList", [one])


def test_tables_of_built_in_kinds(api: Api, core: str) -> None:
    api.made(f"{core}/configmaps", {"metadata": {"name": "cm"}, "data": {"a": "1", "b": "2"}})
    api.made(f"{core}/secrets", {"metadata": {"name": "s"}, "stringData": {"a": "1"}})
    namespace = core.rpartition("/")[2]
    expected: dict[str, tuple[list[str], list[object]]] = {
        f"{core}/configmaps/cm": (["Name", "Data", "Age"], ["cm", 2]),
        f"{core}/secrets/s": (["Name", "Type", "Data", "Age"], ["s", "Opaque", 1]),
        f"/api/v1/namespaces/{namespace}": (["Name", "Status", "Age"], [namespace, "Active"]),
    }
    for path, (columns, cells) in expected.items():
        table = api.send("GET", path, Accept=TABLE).body
        assert [column["name"] for column in table["columnDefinitions"]] == columns
        assert [str(cell) for cell in table["rows"][0]["cells"][:-1]] == [str(cell) for cell in cells]
