"""Small builders for OpenAPI v3 structural schemas (Kubernetes docs, custom-resource-definitions)."""

from statefuldb.model.identity import TEXT_MAX_LENGTH

Schema = dict[str, object]


def obj(
    properties: dict[str, Schema],
    *,
    required: tuple[str, ...] = (),
    rules: tuple[Schema, ...] = (),
    description: str = "",
    open_: bool = False,
) -> Schema:
    """Return an object schema. Unlisted fields are pruned by the server, or with `open_` kept as they are."""
    schema: Schema = {"type": "object", "properties": properties}
    if open_:
        schema["x-kubernetes-preserve-unknown-fields"] = True
    if required:
        schema["required"] = list(required)
    if rules:
        schema["x-kubernetes-validations"] = list(rules)
    return _described(schema, description)


def text(
    description: str = "",
    *,
    max_length: int = TEXT_MAX_LENGTH,
    min_length: int = 0,
    pattern: str = "",
    enum: tuple[str, ...] = (),
    rules: tuple[Schema, ...] = (),
) -> Schema:
    """Return a string schema. Every string has a length limit, so that the cost of CEL rules is bounded."""
    schema: Schema = {"type": "string"}
    if enum:
        schema["enum"] = list(enum)
    else:
        schema["maxLength"] = max_length
    if min_length:
        schema["minLength"] = min_length
    if pattern:
        schema["pattern"] = pattern
    if rules:
        schema["x-kubernetes-validations"] = list(rules)
    return _described(schema, description)


def integer(
    description: str = "",
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    rules: tuple[Schema, ...] = (),
) -> Schema:
    """Return an integer schema."""
    schema: Schema = {"type": "integer", "format": "int64"}
    if minimum is not None:
        schema["minimum"] = minimum
    if maximum is not None:
        schema["maximum"] = maximum
    if rules:
        schema["x-kubernetes-validations"] = list(rules)
    return _described(schema, description)


def number(description: str = "") -> Schema:
    """Return the schema of any number."""
    return _described({"type": "number"}, description)


def boolean(description: str = "") -> Schema:
    """Return a boolean schema."""
    return _described({"type": "boolean"}, description)


def quantity(description: str, pattern: str) -> Schema:
    """Return the schema of a Kubernetes quantity: a number or a string."""
    return _described(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": pattern,
            "maxLength": 32,
        },
        description,
    )


def array(items: Schema, *, max_items: int, list_map_keys: tuple[str, ...] = (), description: str = "") -> Schema:
    """Return an array schema, a map by `list_map_keys` where given."""
    schema: Schema = {"type": "array", "items": items, "maxItems": max_items}
    if list_map_keys:
        schema["x-kubernetes-list-type"] = "map"
        schema["x-kubernetes-list-map-keys"] = list(list_map_keys)
    return _described(schema, description)


def mapping(values: Schema, *, max_properties: int, description: str = "") -> Schema:
    """Return the schema of a map from strings to `values`."""
    return _described({"type": "object", "additionalProperties": values, "maxProperties": max_properties}, description)


def anything(description: str = "") -> Schema:
    """Return the schema of an object whose fields are kept as they are."""
    return _described({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, description)


def rule(expression: str, message: str, *, field: str = "", shown: str = "") -> Schema:
    """Return a CEL rule. `shown` is a CEL expression whose value is put into the message."""
    schema: Schema = {"rule": expression, "message": message}
    if shown:
        schema["messageExpression"] = shown
    if field:
        schema["fieldPath"] = field
    return schema


def _described(schema: Schema, description: str) -> Schema:
    return {"description": description, **schema} if description else schema
