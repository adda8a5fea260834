"""The page of all settings, in Markdown: a table for each section of a study."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from coconut_study.study.schema import references, whole

Schema = dict[str, Any]

HEAD = """# Settings

Every key of a study file; [config/README.md](../config/README.md) says how to write one.
`coconut schema --markdown` makes this page from the models that check the settings.

A key without a default must be written, unless the file is laid over one that has it. NAME stands for a name
of your own.
"""
TABLE = "| key | type | default | meaning |\n|---|---|---|---|\n"
PAGE = re.compile(r"docs/(\w+)\.md(?:, ([A-Z][a-z ]+))?")
WORDS = {"string": "text", "boolean": "`true` or `false`", "null": "`null`"}


class Section(NamedTuple):
    """A table of its own: its place on the page, where its keys stand, and for which kind of questions."""

    order: tuple[int, ...]
    path: str  # datasets.NAME.questions
    label: str  # files
    kind: str = ""  # source: files

    @property
    def heading(self) -> str:
        """Its heading in Markdown."""
        return ", ".join(f"`{part}`" for part in (self.path, self.kind) if part)

    @property
    def link(self) -> str:
        """A link to it, by the anchor that Markdown gives its heading."""
        anchor = re.sub(r"[^\w -]", "", self.heading.lower()).replace(" ", "-")
        return f"[`{self.label}`](#{anchor})"


def settings_page() -> str:
    """The page of all settings: the keys of a study, then its sections."""
    schema = whole()
    page = Page(schema["$defs"], _sections(schema))
    parts = [HEAD, TABLE + page.rows(schema, "")]
    for name, section in sorted(page.sections.items(), key=lambda item: item[1].order):
        definition = page.definitions[name]
        parts += [f"## {section.heading}\n", f"{_linked(definition['description'])}\n"]
        parts += [TABLE + page.rows(definition, section.path)]
    return "\n".join(parts)


def _sections(schema: Schema) -> dict[str, Section]:
    """For each definition that has a table of its own, where it is first used: sections of a study, kinds of
    questions, and what several keys use. The keys of others follow the key that uses them."""
    definitions, uses = schema["$defs"], Counter(references(schema))
    found: dict[str, Section] = {}
    waiting: list[tuple[tuple[int, ...], str, str, Schema]] = [((), "", "", schema)]
    for order, path, kind, definition in waiting:  # which grows, so that what is at the top comes first
        here = Counter(references(definition))
        for number, (key, field) in enumerate(definition["properties"].items()):
            place = f"{path}.{key}".lstrip(".") + ".NAME" * isinstance(
                field.get("additionalProperties"), dict
            )
            for name in references(field):
                kinds = [*references(definitions[name].get("oneOf", []))]
                for index, one in enumerate(kinds or [name]):
                    below, inside = (*order, number, index), definitions[one]
                    source = inside["properties"]["source"]["const"] if kinds else ""
                    own = f"source: {source}" if kinds else kind * (uses[one] == here[one])
                    if one in found:
                        continue
                    if kinds or not path or uses[one] > 1:
                        found[one] = Section(below, place, source or place, own)
                    waiting.append((below, place, own, inside))
    return found


@dataclass(frozen=True)
class Page:
    """What the tables are made from: the definitions of the schema, and those with a table of their own."""

    definitions: dict[str, Schema]
    sections: dict[str, Section]

    def rows(self, definition: Schema, path: str) -> str:
        """The rows of a table: each key, followed by the keys inside it that have no table of their own."""
        rows = ""
        for key, field in definition["properties"].items():
            place = f"{path}.{key}".lstrip(".")
            default = "" if key in definition.get("required", ()) else _default(field)
            cells = (f"`{place}`", self.type(field), default, _linked(field["description"]))
            rows += f"| {' | '.join(cells)} |\n"
            for name in references(field):
                if name not in self.sections and "properties" in self.definitions[name]:
                    rows += self.rows(self.definitions[name], place)
        return rows

    def type(self, field: Schema) -> str:
        """What a value may be, in words, with its limits."""
        if choices := field.get("anyOf"):
            return " or ".join(
                self.type(one) for one in sorted(choices, key=lambda one: one.get("type") != "null")
            )
        if values := field.get("enum", [field["const"]] if "const" in field else []):
            return ", ".join(map(_value, values))
        kind: str = field.get("type", "")
        if kind == "array":
            items = field["items"]
            if isinstance(items, list):
                return f"list of {len(items)}: {'; '.join(dict.fromkeys(map(self.type, items)))}"
            return f"list: {self.type(items)}"
        if kind == "object":
            inner = field.get("additionalProperties")
            return f"mapping: {self.type(inner)}" if isinstance(inner, dict) else "mapping"
        if kind:
            return WORDS.get(kind, kind) + _limits(field)
        (name,) = references(field)
        kinds = [*references(self.definitions[name].get("oneOf", []))] or [name]
        return ", ".join(self.sections[one].link if one in self.sections else "mapping" for one in kinds)


def _limits(field: Schema) -> str:
    """The limits of a number in words; nothing for text."""
    least, most, above = (field.get(key) for key in ("minimum", "maximum", "exclusiveMinimum"))
    if above is not None and field["type"] == "integer":
        least, above = above + 1, None
    if least is not None:
        return f", {least:g} to {most:g}" if most is not None else f", {least:g} or more"
    limits = f" above {above:g}" if above is not None else ""
    return limits + (f", at most {most:g}" if most is not None else "")


def _default(field: Schema) -> str:
    """The default of a key that need not be written; mappings are empty, and others depend on other keys."""
    if "default" in field:
        return _value(field["default"])
    return "computed" if field.get("type", "object") != "object" else "`{}`"


def _value(value: Any) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _linked(text: str) -> str:
    """A text for a cell, in which mentions of other pages are links."""

    def link(match: re.Match[str]) -> str:
        page, part = match.groups()
        return f"[{part}]({page}.md#{part.lower().replace(' ', '-')})" if part else f"[{page}]({page}.md)"

    return PAGE.sub(link, text.replace("|", r"\|"))
