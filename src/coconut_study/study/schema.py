"""The JSON schema of study files, with which editors complete and check them.

The settings models say what a whole study is. A file may hold less: it may be laid over another, and a method
may be like another. So the schema requires keys only inside lists, which a second file replaces as a whole,
and takes parts of other settings where a method or data set has its own. What contradicts each other is left
to `read_study`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from coconut_study.study.definition import Study

DIALECT = "http://json-schema.org/draft-07/schema#"  # the newest that all editors read
# Mappings of some keys of other settings, and where these are defined.
OVERLAYS = {
    "Method": {"training": "Training", "schedule": "Schedule", "model": "Model", "text": "TextSettings"},
    "Dataset": {"responding": "Responding"},
}


def json_schema() -> dict[str, Any]:
    """The schema of a study file, or of one that is laid over it."""
    schema = whole()
    definitions = schema["$defs"]
    listed = set(_entries(schema, definitions))
    for name, definition in [("", schema), *definitions.items()]:
        if name not in listed:
            definition.pop("required", None)
    kinds = definitions["Source"]
    kinds["anyOf"] = kinds.pop("oneOf")  # a part without `source` may fit several
    del kinds["discriminator"]
    comparisons = schema["properties"]["comparisons"]
    comparisons["additionalProperties"] = {"anyOf": [comparisons["additionalProperties"], {"type": "null"}]}
    return {"$schema": DIALECT, "title": "A study", **schema}


def whole() -> dict[str, Any]:
    """The schema of a study that is complete in itself."""
    schema = Study.model_json_schema(schema_generator=_Generator)
    for owner, keys in OVERLAYS.items():
        for key, target in keys.items():
            field = schema["$defs"][owner]["properties"][key]
            field |= {"$ref": f"#/$defs/{target}"}
            del field["additionalProperties"], field["type"]
    return schema


def target(reference: str) -> str:
    """The name of the definition that a reference leads to."""
    return reference.rpartition("/")[2]


def references(schema: Any) -> Iterator[str]:
    """The names of the definitions that a part of a schema refers to, each as often as it does."""
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield target(reference)
        schema = [*schema.values()]
    for part in schema if isinstance(schema, list) else ():
        yield from references(part)


def _entries(schema: Any, definitions: dict[str, Any]) -> Iterator[str]:
    """The names of the definitions that are used in lists, also inside others."""
    if isinstance(schema, dict):
        for name in references(schema.get("items", ())):
            yield name
            yield from _entries({"items": [*definitions[name].values()]}, definitions)
        schema = [*schema.values()]
    for part in schema if isinstance(schema, list) else ():
        yield from _entries(part, definitions)


class _Generator(GenerateJsonSchema):
    """Describes each field by the string under it, in JSON schema of draft 7."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made, kind = super().model_schema(schema), schema["cls"]
        made.pop("title", None)
        made["description"] = _line(kind.__doc__)
        if fields := made.get("properties"):
            described = descriptions(kind)
            for name, field in fields.items():
                field["description"] = described.get(name, "")
        return made

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        made = super().tuple_schema(schema)
        if "prefixItems" in made:
            made["items"] = made.pop("prefixItems")
        return made

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", exclude_unset=True)
        return super().encode_default(dft)


def descriptions(kind: type[BaseModel]) -> dict[str, str]:
    """The string under each field of a class and of those that it inherits from."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("coconut_study."):
            found |= _strings(ast.parse(inspect.getsource(base)).body[0])
    return found


def _strings(definition: Any) -> dict[str, str]:
    """The string under each annotated name of a class definition."""
    return {
        ast.unparse(field.target): _line(ast.literal_eval(below.value))
        for field, below in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr)
    }


def _line(text: str | None) -> str:
    return " ".join((text or "").split())
