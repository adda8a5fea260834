"""Wrong files given to commands: exit status 1, one sentence with file and row, and nothing written."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from coconut_study import __main__
from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import add_marks, word_level
from coconut_study.questions import describe, formats, question, schema, shortcuts
from coconut_study.report import catalog, inputs
from coconut_study.sequences.templates import TEMPLATES

from ..conftest import GRAPH, tiny
from .report.examples import SETTINGS

PAPER = str(Path(__file__).resolve().parents[2] / "config" / "paper_numbers.yaml")


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a command that must fail with status 1 and write nothing; returns its message."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        monkeypatch.setattr(sys, "argv", ["coconut_study", *map(str, arguments)])
        start = perf_counter()
        with pytest.raises(SystemExit) as ended:
            __main__.main()
        assert perf_counter() - start < 5
        assert ended.value.code == 1
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1, said
        return said[0]

    return run


def question_on_graph(number: int) -> question.Question:
    """A question on the graph of the tests, a different one for each number."""
    return question.redraw(
        [question.from_graphs([GRAPH], np.random.default_rng(0))[0]], np.random.default_rng(number)
    )[0]


def record(**changes) -> dict:
    """A record of the published schema with changed fields; fields that are None are left out."""
    fields = schema.to_json(question.from_graphs([GRAPH], np.random.default_rng(0))[0]) | changes
    return {field: value for field, value in fields.items() if value is not None}


# ---------------------------------------------------------------------------------------- question files

GOOD = json.dumps(record())
PLAIN = {"question": "2+3?", "steps": ["2+3=5"], "answer": "5"}
EDGES = [list(edge) for edge in GRAPH.edges]
NAMES = list(GRAPH.names)
FACTS = record()["question"].rpartition(" Is ")[0]
EXAMPLE = {"question": "Max is a jompus.", "query": "True or false: Max is red.",
           "chain_of_thought": ["Max is a jompus."], "answer": "True"}  # fmt: skip


def prontoqa(**changes) -> str:
    fields = {field: value for field, value in (EXAMPLE | changes).items() if value is not None}
    return json.dumps({"example1": {"test_example": EXAMPLE}, "example2": {"test_example": fields}})


QUESTION_FILES = {
    # name, content, what the message says after the path
    "cut in a line": ("q.jsonl", f"{GOOD}\n{GOOD[:90]}", ", line 2: not JSON"),
    "a cut list": ("q.json", f"[{GOOD}, {GOOD}", ", line 1: not JSON"),
    "no JSON": ("q.json", "question: who?", ", line 1: not JSON"),
    "two records in a line": ("q.jsonl", f"{GOOD} {GOOD}", ", line 1: not JSON"),
    "empty": ("q.json", "", ": holds no questions"),
    "blank": ("q.jsonl", " \n\n", ": holds no questions"),
    "an empty list": ("q.json", "[]", ": holds no question"),
    "a list of numbers": ("q.json", "[3]", ", question 0: is not a JSON object"),
    "null": ("q.jsonl", f"{GOOD}\nnull\n", ", question 1: is not a JSON object"),
    "invalid UTF-8": ("q.json", b'[{"question": "\xff\xfe"}]', ": is not UTF-8 text"),
    "UTF-16": ("q.json", f"[{GOOD}]".encode("utf-16"), ": is not UTF-8 text"),
    "no question": ("q.jsonl", record(question=None), ', question 0: has no field "question"'),
    "no edges": ("q.jsonl", record(edges=None), 'question 0: has no field "edges"'),
    "no root": ("q.jsonl", record(root=None), 'question 0: has no field "root"'),
    "a misspelt field": ("q.jsonl", PLAIN | {"anwser": "5"}, 'unknown field "anwser"; did you mean answer?'),
    "an unknown field": ("q.jsonl", PLAIN | {"id": 7}, 'unknown field "id"; there are question, answer'),
    "a question that is no text": ("q.jsonl", PLAIN | {"question": 3}, 'field "question" is not a string'),
    "an empty answer": ("q.jsonl", PLAIN | {"answer": " "}, 'field "answer" is empty'),
    "steps in one text": ("q.jsonl", PLAIN | {"steps": "2+3=5"}, 'field "steps" is not a list'),
    "a step that is no text": ("q.jsonl", PLAIN | {"steps": [5]}, 'field "steps" is not a list of sentences'),
    "a root that is no number": ("q.jsonl", record(root="Alex"), 'field "root" is not a whole number'),
    "a root that is true": ("q.jsonl", record(root=True), 'field "root" is not a whole number'),
    "a root out of range": ("q.jsonl", record(root=7), "neg_target is outside 0..6"),
    "a target below range": ("q.jsonl", record(target=-1), "neg_target is outside 0..6"),
    "an edge out of range": ("q.jsonl", record(edges=[*EDGES, [0, 7]]), "an edge names a node outside 0..6"),
    "an edge of three": ("q.jsonl", record(edges=[*EDGES, [0, 1, 2]]), "is not a list of pairs"),
    "an edge of names": ("q.jsonl", record(edges=[["Alex", "lempus"]]), "is not a list of pairs"),
    "an edge twice": ("q.jsonl", record(edges=[*EDGES, EDGES[0]]), "an edge is listed twice"),
    "a circle": ("q.jsonl", record(edges=[*EDGES, [4, 0]]), "the graph has a cycle"),
    "a lonely node": ("q.jsonl", record(idx_to_symbol=[*NAMES, "x"]), "a node has no edge"),
    "too few names": ("q.jsonl", record(idx_to_symbol=NAMES[:-1]), "an edge names a node outside 0..5"),
    "a name twice": ("q.jsonl", record(idx_to_symbol=[*NAMES[:-1], "Alex"]), "two nodes have the same name"),
    "an empty name": ("q.jsonl", record(idx_to_symbol=["", *NAMES[1:]]), "is not a list of names"),
    "a name of two words": ("q.jsonl", record(idx_to_symbol=["A b", *NAMES[1:]]), "is not a list of names"),
    "a number for a name": ("q.jsonl", record(idx_to_symbol=[3, *NAMES[1:]]), "is not a list of names"),
    "no way to the target": ("q.jsonl", record(target=5, neg_target=4), "the target cannot be reached"),
    "a way to the other option": ("q.jsonl", record(neg_target=6), "the other option can be reached"),
    "facts of another graph": ("q.jsonl", record(edges=[*EDGES[:-2], [0, 6]]), "are not the edges of"),
    "other options": ("q.jsonl", record(question=f"{FACTS} Is Alex a rompus or impus?"), "the options in"),
    "no options": ("q.jsonl", record(question=FACTS), "ends with"),
    "a longer path": ("q.jsonl", record(steps=["Alex is a lempus."]), "not a shortest path"),
    "the wrong answer": ("q.jsonl", record(answer="Alex is a gorpus."), "the answer is not the target"),
    "GSM8k without steps": ("q.txt", "Q?||<<1+1=2>> #### 2\nHow many? 3\n", ", line 2: is not `question||"),
    "GSM8k without an answer": ("q.txt", "How many?||<<1+1=2>>", ", line 1: is not `question||"),
    "GSM8k with a blank answer": ("q.txt", "How many?||<<1+1=2>> #### ", ", line 1: is not `question||"),
    "GSM8k with a blank question": ("q.txt", " ||<<1+1=2>> #### 2", ", line 1: is not `question||"),
    "GSM8k with a blank line": ("q.txt", "Q?|| #### 2\n\nQ?|| #### 2\n", ", line 2: is not `question||"),
    "GSM8k, empty": ("q.txt", "\n", ": holds no questions"),
    "ProntoQA, cut": ("q.json", prontoqa()[:-9], ", line 1: not JSON"),
    "ProntoQA without a chain": ("q.json", prontoqa(chain_of_thought=None), "has no test_example with 'ch"),
    "ProntoQA without a query": ("q.json", prontoqa(query=None), "has no test_example with 'query'"),
    "ProntoQA with a number": ("q.json", prontoqa(chain_of_thought=3), "is not an example of ProntoQA"),
    "ProntoQA with true": ("q.json", prontoqa(answer=True), 'is not an example of ProntoQA (field "answer"'),
    "ProntoQA, a list": ("q.json", '{"example1": ["test_example"]}', "example1: is not an example"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTION_FILES)
def test_a_wrong_question_file_is_refused(refused, tmp_path, name):
    file, content, words = QUESTION_FILES[name]
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path = tmp_path / file
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    said = refused("convert", "--questions", path, "--out", tmp_path / "out.jsonl")
    assert said.startswith(f"error: {path}"), said
    assert words in said, said


@pytest.mark.parametrize(("name", "words"), [("nowhere.json", "No such file"), ("", "Is a directory")])
def test_a_path_that_is_no_file_is_refused(refused, tmp_path, name, words):
    said = refused("describe", "--questions", tmp_path / name, "--out", tmp_path / "out.csv")
    assert said.startswith(f"error: {tmp_path / name}: cannot be read ({words}")


def test_the_wrong_files_are_many_and_the_good_ones_are_read(tmp_path):
    assert len(QUESTION_FILES) >= 50
    (tmp_path / "q.jsonl").write_text(f"{GOOD}\n{json.dumps(PLAIN)}\n")
    assert len(schema.read(tmp_path / "q.jsonl")) == 2
    (tmp_path / "p.jsonl").write_text(json.dumps(PLAIN | {"answer": "\u2028 5"}, ensure_ascii=False))
    assert schema.read(tmp_path / "p.jsonl")[0].answer == "\u2028 5"


# ---------------------------------------------------------------------------------------- data sets


@pytest.fixture
def files(tmp_path):
    """The settings of a data set of three files with two questions each."""
    settings = {"source": "files"}
    for number, split in enumerate(("train", "valid", "test")):
        path = tmp_path / f"{split}.jsonl"
        schema.write(path, [question_on_graph(2 * number), question_on_graph(2 * number + 1)])
        settings[split] = {"path": str(path)}
    return settings


def questions_command(tmp_path, settings) -> list[object]:
    outs = [
        part for split in ("train", "valid", "test") for part in (f"--{split}", tmp_path / f"out/{split}")
    ]
    return ["questions", "--settings", json.dumps(settings), *outs]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": 3}, "test.jsonl: 2 questions, the study expects 3"),
        ({"sha256": "0" * 64}, "test.jsonl: sha256 is "),
        ({"rows": [1, 3]}, "test.jsonl: has 2 rows, the study takes 1 to 3"),
        ({"rows": [1, 1]}, "test.rows: [1, 1] takes none"),
        ({"path": "nowhere.jsonl"}, "nowhere.jsonl: cannot be read"),
        ({"path": "."}, ".: cannot be read (Is a directory)"),
        ({"paths": 3}, "test.paths: unknown key; did you mean path?"),
    ],
)
def test_a_file_that_is_not_as_the_study_says_is_refused(refused, tmp_path, files, change, words):
    assert words in refused(*questions_command(tmp_path, files | {"test": files["test"] | change}))


def test_questions_of_valid_and_test_may_not_repeat_unless_the_settings_allow_it(
    refused, tmp_path, files, monkeypatch
):
    both = [question_on_graph(0), question_on_graph(8)]
    schema.write(Path(files["test"]["path"]), both)
    said = refused(*questions_command(tmp_path, files))
    assert said.startswith(
        f"error: {files['train']['path']}: question 0 of train repeats a question of test, and so do 1"
    )
    schema.write(Path(files["test"]["path"]), [question_on_graph(8), question_on_graph(8)])
    assert "test.jsonl: question 1 of test repeats a question of test" in refused(
        *questions_command(tmp_path, files)
    )
    schema.write(Path(files["test"]["path"]), both)
    monkeypatch.setattr(
        sys, "argv", ["coconut_study", *map(str, questions_command(tmp_path, files | {"repeats": 1}))]
    )
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 0
    assert len(schema.read(tmp_path / "out" / "test")) == 2


def test_training_questions_may_repeat_themselves(tmp_path, files, monkeypatch):
    schema.write(Path(files["train"]["path"]), [question_on_graph(0)] * 3)
    monkeypatch.setattr(sys, "argv", ["coconut_study", *map(str, questions_command(tmp_path, files))])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 0


SIZES = {"train": 8, "valid": 4, "test": 4}
SHAPE = {
    "source": "prosqa",
    "nodes": 28,
    "hops": [3, 6],
    "persons": 17,
    "concepts": 38,
    "sizes": SIZES,
    "seed": 0,
}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (SHAPE | {"persons": 2}, "questions.persons, questions.concepts: a graph with 3 persons"),
        (SHAPE | {"hops": [6, 3]}, "hops: minimum 6 exceeds maximum 3"),
        (SHAPE | {"seed": -1}, "seed: Input should be greater than or equal to 0"),
        (SHAPE | {"sorce": "x"}, "sorce: unknown key; did you mean source?"),
        (
            {"source": "prontoqa", "hops": 7, "sizes": SIZES, "seed": 0},
            "hops: Input should be less than or equal to 6",
        ),
        ({"sizes": SIZES}, "source: is missing"),
        ([], "should be an object"),
    ],
)
def test_questions_that_cannot_be_drawn_are_refused(refused, tmp_path, settings, words):
    assert words in refused(*questions_command(tmp_path, settings))


def test_a_hub_data_set_whose_steps_are_one_text_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    (tmp_path / "train.jsonl").write_text(json.dumps(PLAIN | {"steps": "2+3=5"}) + "\n")
    with pytest.raises(StudyError, match='split train, row 0: field "steps" is not a list'):
        formats.from_hub(str(tmp_path), "train", None)


# ---------------------------------------------------------------------------------------- responses

RESPONSE = {
    "dataset": "d", "method": "m", "seed": 1, "question": 0, "k": 2, "kind": "continuous", "hidden": 2,
    "finished": True, "text": "### x", "token_ids": [1, 2],
}  # fmt: skip


def lines(*changes: dict) -> str:
    return "".join(json.dumps(RESPONSE | change) + "\n" for change in changes)


BOTH = lines({}, {"question": 1})
LACKING = json.dumps({key: value for key, value in RESPONSE.items() if key != "text"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOTH[:-40], "r.jsonl, line 2: Invalid JSON"),
        (lines({}) + LACKING, "r.jsonl, line 2: text: is missing"),
        (lines({}, {"txt": ""}), "r.jsonl, line 2: txt: unknown key; did you mean text?"),
        (lines({}, {"question": "1"})[:-1] + "\n{", "r.jsonl, line 3: Invalid JSON"),
        (
            lines({}, {"question": -1}),
            "r.jsonl, line 2: question: Input should be greater than or equal to 0",
        ),
        (lines({}, {"k": True, "question": 1}), "r.jsonl, line 2: k: expected a number, got true or false"),
        (
            lines({}, {"kind": "none at all"}),
            "r.jsonl, line 2: kind: Input should be 'none', 'continuous', 'pause', 'loops' or 'soft'",
        ),
        (lines({}, {"token_ids": None}), "r.jsonl, line 2: token_ids: Input should be a valid array"),
        ("[]", "r.jsonl, line 1: Input should be"),
        (lines({}), "r.jsonl: question 1 has 0 responses with k = 2"),
        (lines({}, {"question": 1}, {"k": 1}), "r.jsonl: question 1 has 0 responses with k = 1"),
        (BOTH + lines({}), "r.jsonl: question 0 has 2 responses with k = 2"),
        (BOTH + lines({"question": 2}), "r.jsonl: response to question 2: there are 2 questions"),
        ("", "r.jsonl: holds no responses"),
        (b"\xff\xfe", "r.jsonl: is not UTF-8 text; give a file of responses"),
        (None, "r.jsonl: cannot be read (No such file or directory); give a file of responses"),
    ],
)
def test_wrong_responses_are_refused(refused, tmp_path, text, words):
    path = tmp_path / "r.jsonl"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    schema.write(tmp_path / "test.jsonl", [question_on_graph(0), question_on_graph(1)])
    said = refused(
        "grade", "--settings", '{"hidden_prefix": "exact"}', "--template", "prose", "--responses", path,
        "--questions", tmp_path / "test.jsonl", "--out", tmp_path / "grades.csv",
    )  # fmt: skip
    assert said.startswith(f"error: {path}")
    assert words in said


def test_wrong_settings_of_a_command_are_refused(refused, tmp_path):
    given = ["--template", "prose", "--responses", "r", "--questions", "q", "--out", tmp_path / "grades.csv"]
    wrong = '{"hidden_prefix": "same"}'
    assert "hidden_prefix: Input should be 'completable' or 'exact'" in refused(
        "grade", "--settings", wrong, *given
    )
    assert "Invalid JSON" in refused("grade", "--settings", "{", *given)


# ---------------------------------------------------------------------------------- tables and figures

RUN = {"dataset": "d", "method": "m", "seed": 1, "trained": "d", "asked": "d"}
FILES = {  # kind of file: what it is of, the columns that are read
    "grades": ("d/m/seed1", inputs.GRADES),
    "asked": ("d/m/seed1/d", inputs.GRADES),
    "rewritten": ("d/m/seed1/d", inputs.GRADES),
    "clock": ("d/m/seed1", inputs.CLOCK),
    "ending": ("d/m/seed1", inputs.ENDING),
    "values": ("d/m/seed1", inputs.VALUES),
    "decoded": ("d/m/seed1", inputs.DECODED),
    "interventions": ("d/m/seed1", inputs.INTERVENTIONS),
    "histories": ("stage", inputs.HISTORY),
    "shortcuts": ("d", shortcuts.COLUMNS),
    "statistics": ("train", describe.COLUMNS),
}
RECORDS = {record.rule: record for record in [*catalog.TABLES.values(), *catalog.FIGURES.values()]}
GIVEN = SETTINGS | {"titles": {"d": "Data", "m": "Method"}}
# (table or figure, a CSV file that it is made from, that file's columns)
MADE_FROM = [
    (rule, name, columns)
    for rule, record in RECORDS.items()
    for name, columns in [
        *((f"tables/{name}", catalog.TABLES[name].columns) for name in record.tables),
        *((kind, FILES[kind][1]) for kind in record.reads if kind in FILES),
    ]
]


def write_row(name: str, columns: Sequence[str]) -> None:
    row = {"outcome": "correct path", "content": "own", "question": 0} | RUN
    pd.DataFrame([[row.get(column, 1) for column in columns]], columns=list(columns)).to_csv(
        f"{name}.csv", index=False
    )


@pytest.fixture
def made(refused, tmp_path, monkeypatch):
    """Run the command of a table or figure on files of which a test damages one; returns its message."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables").mkdir()
    for name, columns in {name: columns for _, name, columns in MADE_FROM}.items():
        write_row(name, columns)
    schema.write(Path("test.jsonl"), [question_on_graph(0)])

    def run(rule: str, **changes: object) -> str:
        record = RECORDS[rule]
        others = {"paper": {"paper": PAPER}, "questions": {"d": "test.jsonl"}, "hops": {"d": "test.jsonl"}}
        arguments = {
            "files": {kind: others.get(kind) or {FILES[kind][0]: f"{kind}.csv"} for kind in record.reads},
            "tables": {name: f"tables/{name}.csv" for name in record.tables},
            "settings": {key: GIVEN[key] for key in record.needed},
        }
        (tmp_path / "arguments.json").write_text(json.dumps(arguments | changes))
        return refused(
            record.kind, record.name, "--arguments", "@arguments.json", "--out", f"{record.name}.out.svg"
        )

    return run


@pytest.mark.parametrize(("rule", "name", "columns"), MADE_FROM)
@pytest.mark.parametrize("which", [0, -1])
def test_a_table_without_a_column_is_refused(made, rule, name, columns, which):
    there = list(columns)
    gone = there.pop(which)
    write_row(name, there)
    assert made(rule) == f"error: {name}.csv: has no column {gone}; it has {', '.join(there)}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory"),
        (b"", "No columns to parse from file"),
        (b"\xff\xfe\x00", "codec can't decode"),
        (b"a,b\n1,2,3\n1,2,3,4\n", "Error tokenizing data"),
    ],
)
@pytest.mark.parametrize(
    ("rule", "name"), [("table_sweep", "grades"), ("figure_learning", "tables/learning")]
)
def test_what_is_not_a_table_is_refused(made, tmp_path, rule, name, content, words):
    path = tmp_path / f"{name}.csv"
    path.unlink() if content is None else path.write_bytes(content)
    said = made(rule)
    assert said.startswith(f"error: {name}.csv: cannot be read as a table (")
    assert words in said


@pytest.mark.parametrize(("text", "words"), [(None, "No such file"), ("a: [", "expected"), ("\0", "special")])
def test_wrong_numbers_of_the_paper_are_refused(made, tmp_path, text, words):
    if text is not None:
        (tmp_path / "paper.yaml").write_text(text)
    said = made("table_clock", files={"clock": {"d/m/seed1": "clock.csv"}, "paper": {"paper": "paper.yaml"}})
    assert said.startswith("error: paper.yaml: cannot be read (")
    assert words in said


def test_the_files_of_another_run_are_refused(made):
    said = made("table_ending", files={"ending": {"d/m/seed2": "ending.csv"}})
    assert said == "error: ending.csv: has d/m/seed1; expected rows of d/m/seed2 alone"


def test_wrong_arguments_of_a_table_are_refused(made, refused, tmp_path):
    assert made("table_sweep", settings={}) == "error: table sweep: settings lacks bases, titles"
    assert made("table_sweep", files={}) == "error: table sweep: files lacks grades"
    assert made("table_sweep", rows=[]).startswith("error: rows: unknown key")
    given = ["--arguments", "{", "--out", tmp_path / "out.csv"]
    assert "Invalid JSON" in refused("table", "sweep", *given)
    assert refused("figure", "sweeps", *given) == "error: sweeps is not in the catalog; did you mean sweep?"


# ------------------------------------------------------------------------------------------ checkpoints


@pytest.fixture
def trained(tmp_path):
    """A checkpoint of a tiny model, trained with two thoughts."""
    texts = [TEMPLATES["symbols"].text(question_on_graph(number)) for number in range(8)]
    tokenizer = word_level(texts)
    add_marks(tokenizer)
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    checkpoints.save(folder, tiny("gpt2", len(tokenizer)), tokenizer, {"thoughts": 2})
    schema.write(tmp_path / "test.jsonl", [question_on_graph(0)])
    return folder


def respond(tmp_path, folder, thoughts: int = 2) -> list[object]:
    layout = {"hidden": thoughts, "thoughts": thoughts, "kind": "continuous", "markers": False}
    settings = {
        "run": {"dataset": "d", "method": "m", "seed": 1},
        "text": {"template": "symbols", "facts_share_position": False},
        "layouts": [layout],
        "responding": {"batch_size": 1, "max_new_tokens": 4},
    }
    return [
        "respond", "--settings", json.dumps(settings), "--checkpoint", folder, "--questions",
        tmp_path / "test.jsonl", "--responses", tmp_path / "r.jsonl", "--timings", tmp_path / "t.csv",
    ]  # fmt: skip


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES = {
    "no card": ("card.json", Path.unlink),
    "a cut card": ("card.json", cut),
    "an empty card": ("card.json", lambda path: path.write_text("")),
    "a card that is a list": ("card.json", lambda path: path.write_text("[]")),
    "a card that is no text": ("card.json", lambda path: path.write_bytes(b"\xff\xfe")),
    "no weights": ("model.safetensors", Path.unlink),
    "cut weights": ("model.safetensors", cut),
    "empty weights": ("model.safetensors", lambda path: path.write_text("")),
    "no configuration": ("config.json", Path.unlink),
    "a cut configuration": ("config.json", cut),
    "an empty configuration": ("config.json", lambda path: path.write_text("{}")),
    "no tokenizer": ("tokenizer.json", Path.unlink),
    "a cut tokenizer": ("tokenizer.json", cut),
    "an empty tokenizer": ("tokenizer.json", lambda path: path.write_text("{}")),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_refused(refused, tmp_path, trained, name):
    file, damage = DAMAGES[name]
    damage(trained / file)
    said = refused(*respond(tmp_path, trained))
    assert said.startswith(f"error: {trained}"), said


def test_a_missing_checkpoint_and_one_with_fewer_thoughts_are_refused(refused, tmp_path, trained):
    nowhere = tmp_path / "nowhere"
    assert f"{nowhere}: not a checkpoint of this study" in refused(*respond(tmp_path, nowhere))
    assert "trained with 2 thoughts, cannot generate with 3" in refused(*respond(tmp_path, trained, 3))


def test_questions_that_lend_one_another_no_thoughts_are_refused(refused, tmp_path, trained):
    command = ["intervene", *respond(tmp_path, trained)[1:7], "--battery", "short", "--seed", 0,
               "--out", tmp_path / "interventions.csv"]  # fmt: skip
    test = tmp_path / "test.jsonl"
    assert f"{test}: the questions are of one group" in refused(*command)
    test.write_text(f"{GOOD}\n{json.dumps(PLAIN)}\n")
    assert f"{test}: has questions without a graph" in refused(*command)
