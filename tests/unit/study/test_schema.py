"""What the settings say of themselves: a description of every field, the schema of study files, the page."""

import json
import re
import sys

import pytest
import yaml
from jsonschema import Draft7Validator

from coconut_study.__main__ import main
from coconut_study.study.reference import settings_page
from coconut_study.study.schema import json_schema, whole

from ...studies import CONFIG, with_value

FILES = sorted({*CONFIG.glob("*.yaml"), *CONFIG.glob("findings/*.yaml")} - {CONFIG / "paper_numbers.yaml"})
SCHEMA = json_schema()
WHOLE = whole()
FIELDS = {
    f"{name or 'Study'}.{key}": field
    for name, kind in {"": WHOLE, **WHOLE["$defs"]}.items()
    for key, field in kind.get("properties", {}).items()
}
SENTENCE = re.compile(r"[A-Z`](?!.*\. [A-Z]).*\.")
PLACE = "datasets.planning.questions"


def read(path):
    """A file as editors see it: keys are text, and merged keys are written out."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))


def wrong(study):
    """Where a study does not fit the schema."""
    return {".".join(map(str, error.absolute_path)) for error in Draft7Validator(SCHEMA).iter_errors(study)}


def test_every_setting_has_a_description_of_one_sentence():
    assert len(FIELDS) > 200
    said = {name: field.get("description", "") for name, field in FIELDS.items()}
    assert [name for name, text in said.items() if not SENTENCE.fullmatch(text)] == []


def test_every_setting_that_may_be_null_says_what_null_means():
    may = [name for name, field in FIELDS.items() if {"type": "null"} in field.get("anyOf", ())]
    assert len(may) > 40
    assert [name for name in may if "null" not in FIELDS[name]["description"]] == []


def test_every_section_has_a_description():
    assert [name for name, kind in WHOLE["$defs"].items() if not kind["description"]] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONFIG)))
def test_shipped_studies_fit_the_schema_that_they_name(path):
    assert wrong(read(path)) == set()
    first, _, named = path.read_text(encoding="utf-8").partition("\n")[0].partition("$schema=")
    assert first == "# yaml-language-server: "
    assert (path.parent / named).resolve() == CONFIG / "schema.json"


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("trainin", {}, ""),
        ("training.batchsize", 3, "training"),
        ("training.mixing.stages", "late", "training.mixing.stages"),
        ("model.pretraining.stps", 3, "model.pretraining"),
        (f"{PLACE}.nodez", 3, PLACE),
        (f"{PLACE}.source", "cross", PLACE),
        (f"{PLACE}.hops", [3], PLACE),
        ("methods.mine", {"like": "coconut", "titel": "Mine"}, "methods.mine"),
        ("methods.mine", {"like": "coconut", "training": {"lr": 1}}, "methods.mine.training"),
        ("datasets.planning.responding", {"batch": 1}, "datasets.planning.responding"),
        ("runs", [{"datasets": ["planning"], "methods": ["cot"]}], "runs.0"),
        ("training", None, "training"),
    ],
)
def test_a_mistake_is_marked_where_it_is(key, value, place):
    assert wrong(with_value(read(CONFIG / "quick.yaml"), key, value)) == {place}


@pytest.mark.parametrize(
    "part",
    [
        {"datasets": {"planning": {"questions": {"seed": 2}}}},
        {"methods": {"mine": {"like": "coconut", "schedule": {"c": 2}, "model": {"lora": None}}}},
        {"comparisons": {"recipe": None}, "clock": None},
        {"training": {"learning_rate": 1}},
    ],
)
def test_a_second_file_holds_what_is_different(part):
    assert wrong(part) == set()


@pytest.mark.parametrize(
    ("options", "path"),
    [([], CONFIG / "schema.json"), (["--markdown"], CONFIG.parent / "docs" / "settings.md")],
)
def test_the_command_prints_the_committed_file(options, path, monkeypatch, capsys):
    """If this fails: `coconut schema >config/schema.json; coconut schema --markdown >docs/settings.md`."""
    monkeypatch.setattr(sys, "argv", ["coconut", "schema", *options])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == path.read_text(encoding="utf-8")


def test_the_page_has_every_key_and_no_link_to_nowhere():
    page = settings_page()
    keys = {name.rpartition(".")[2] for name in FIELDS} - {"root"}
    assert [key for key in keys if f".{key}`" not in page and f"`{key}`" not in page] == []
    headings = {line[3:].lower() for line in page.splitlines() if line.startswith("## ")}
    anchors = {"".join(c for c in line if c.isalnum() or c in " _-").replace(" ", "-") for line in headings}
    links = {part.partition(")")[0] for part in page.split("](#")[1:]}
    assert links == anchors
