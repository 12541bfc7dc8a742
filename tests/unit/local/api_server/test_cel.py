"""CEL over JSON: an expression is given the parts it looks at, and comes to the same as over the whole."""

import celpy
import pytest

from statefuldb.local.api_server.schemas.cel import evaluate

OBJECT = {"spec": {"a": 1, "b": {"c": [1, 2]}, "t": "x"}, "metadata": {"name": "n", "annotations": {"k": "v"}}}
VARIABLES = {"object": OBJECT, "oldObject": {**OBJECT, "spec": {"a": 2, "b": {}}}, "request": None}


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.a == 1",
        "has(object.spec.t) && !has(oldObject.spec.t)",
        "object.spec.b.c.size() == 2",
        "object.spec.size() == 3 && object.size() == 2",
        "object.metadata.annotations['k'] == 'v'",
        "object['spec'].a + oldObject.spec.a == 3",
        "object.spec == object.spec && object != oldObject",
        "object.spec.b.c.all(spec, spec > 0) && object.spec.a < 2",
        "(object).spec.a == 1 && request == null",
        "'object.spec.none' != object.metadata.name",
        "[object].exists(o, o.spec.a == 1)",
        "has(object.status)",
        "!has(object.spec.none)",
    ],
)
def test_a_part_is_as_good_as_the_whole(expression: str) -> None:
    environment = celpy.Environment()
    whole = {name: celpy.json_to_cel(value) for name, value in VARIABLES.items()}
    wanted = bool(environment.program(environment.compile(expression)).evaluate(whole))
    assert evaluate(expression, VARIABLES) is wanted
