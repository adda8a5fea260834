"""Files of JSON, YAML and tables: what is wrong with one is a sentence that names the place."""

import json
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coconut_study.common.errors import LONGEST, StudyError, explained, printable
from coconut_study.common.files import write_csv
from coconut_study.common.reading import parse_json, parse_yaml, read_csv, read_json, read_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


# ----------------------------------------------------------------------------------------------- JSON

WRONG_JSON = {
    "cut": ('{"a": 1,\n "b"', ", line 2: not JSON ("),
    "deep": ("[" * 100_000 + "]" * 100_000, ", line 1: not JSON (recursion limit exceeded"),
    "an integer of 5,000 digits": ("9" * 5000, ", line 1: not JSON (number out of range"),
    "half of a surrogate pair": (r'"\ud800"', ", line 1: not JSON ("),
    "a byte order mark": ("\ufeff{}", ", line 1: not JSON ("),
    "another encoding": ("ä".encode("latin-1"), ": is not UTF-8 text"),
    "blank": (" \n", ": holds no JSON"),
}


@pytest.mark.parametrize("name", WRONG_JSON)
def test_wrong_json_is_one_sentence_with_the_line(path, name):
    """Deep JSON, long integers and halves of surrogate pairs ended in tracebacks."""
    content, words = WRONG_JSON[name]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StudyError) as raised:
        read_json(path)
    assert str(raised.value).startswith(f"{path}{words}")


def test_lines_are_counted_from_the_line_on_which_the_text_begins(path):
    with pytest.raises(StudyError, match="line 8: not JSON"):
        parse_json("[1,\n", path, 7)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
        lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    )
)
def test_right_json_is_what_was_written(tmp_path_factory, value):
    read = parse_json(json.dumps(value), tmp_path_factory.getbasetemp())
    assert json.dumps(read) == json.dumps(value)


# ----------------------------------------------------------------------------------------------- YAML

LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)
WRONG_YAML = {
    "a key twice": ("a: 1\nb: 2\na: 3\n", "the key a is on line 1 and again on line 3; keep one of them"),
    "a key twice, inside": ("a:\n  b: 1\n  b: 2\n", "the key b is on line 2 and again on line 3"),
    "a key twice on a line": ("{a: 1, a: 2}", "the key a is on line 1 and again on line 1"),
    "deep": ("[" * 100_000 + "]" * 100_000, "is nested too deeply"),
    "aliases for a million values": (LAUGHS, "its aliases stand for more than 100,000 values"),
    "an alias for itself": ("a: &a [*a]", "its aliases stand for more than 100,000 values"),
    "two documents": ("a: 1\n---\na: 2\n", "cannot be read (expected a single document"),
    "an integer of 5,000 digits": ("a: " + "9" * 5000, "cannot be read ("),
    "a date that there is not": ("a: 2024-13-45", "cannot be read ("),
    "an object": ("!!python/object/apply:os.system [ls]", "cannot be read ("),
    "NUL": ("\0", "cannot be read ("),
    "blank": ("# nothing\n", "holds no settings"),
}


@pytest.mark.parametrize("name", WRONG_YAML)
def test_wrong_yaml_is_one_sentence(path, name):
    """The second of two equal keys won, and deep YAML and aliases without end ended in tracebacks."""
    content, words = WRONG_YAML[name]
    path.write_text(content)
    with pytest.raises(StudyError) as raised:
        read_yaml(path)
    assert str(raised.value).startswith(f"{path}: {words}")


def test_right_yaml_may_have_aliases_merges_and_equal_keys_apart():
    text = "a: &m {x: 1}\nb: &n\n  <<: *m\n  y: 2\nc:\n  <<: *n\n  x: 3\nd: [*m, 2024-01-02]\n"
    merged = {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 3, "y": 2}}
    assert parse_yaml(text, "file") == merged | {"d": [{"x": 1}, date(2024, 1, 2)]}


# --------------------------------------------------------------------------------------------- tables

NAMES = ("5", "007", "1e5", "inf", "NA", "null", "None", "nan", "True", "", " ", "a\rb", "a\nb", 'a"b', "é")


def test_text_is_read_as_it_was_written(path):
    """Names like 007 became numbers, and those like NA were missing."""
    write_csv(path, pd.DataFrame({"name": NAMES, "n": range(len(NAMES))}))
    table = read_csv(path, ["name", "n"], text=["name"])
    assert tuple(table["name"]) == NAMES
    assert table["n"].tolist() == [*range(len(NAMES))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXT, min_size=1))
def test_any_text_comes_back_from_a_table(path, texts):
    """A carriage return in a token made two rows of one."""
    write_csv(path, pd.DataFrame({"token": texts, "n": 1.5}))
    table = read_csv(path, ["token", "n"], text=["token"])
    assert table["token"].tolist() == texts


WRONG_TABLES = {
    "a name for a number": ("name,n\na,b\n", "row 2: n is not a number (it is 'b')"),
    "no number": ("name,n\na,1\nb,\n", "row 3: n is not a number (it is nan)"),
    "an infinite number": ("name,n\na,inf\n", "row 2: n is not a number (it is inf)"),
    "a truth value for a number": ("name,n\na,True\n", "row 2: n is not a number (it is True)"),
    "a number for a truth value": ("name,n,flag\na,1,3\n", "row 2: flag is not true or false (it is 3)"),
    "a cut row": ("name,n,flag\na,1,True\nb\n", "row 3: n is not a number (it is nan)"),
}


@pytest.mark.parametrize("name", WRONG_TABLES)
def test_a_wrong_cell_is_named_by_row_and_column(path, name):
    content, words = WRONG_TABLES[name]
    path.write_text(content)
    columns = content.partition("\n")[0].split(",")
    with pytest.raises(StudyError) as raised:
        read_csv(path, columns, text=["name"], flags=["flag"])
    assert str(raised.value) == f"{path}, {words}"


def test_longer_rows_are_refused(path):
    path.write_text("a,b\n1,2,3\n")
    with pytest.raises(StudyError, match="more cells than columns"):
        read_csv(path, ["a", "b"])


def test_gaps_may_be_empty_or_infinite(path):
    path.write_text("a,flag\n1,True\n,\ninf,False\n")
    table = read_csv(path, ["a", "flag"], flags=["flag"], gaps=["a", "flag"])
    assert table["a"].isna().tolist() == [False, True, False]
    assert table["flag"].isna().tolist() == [False, True, False]


# ------------------------------------------------------------------------------------------- messages


@given(st.text())
def test_a_line_of_a_message_can_always_be_printed(text):
    """Control characters of a setting went to the terminal, and half a surrogate pair ended the message."""
    line = printable(text)
    assert line.isprintable()
    assert len(line) <= LONGEST
    assert line == text or not text.isprintable() or len(text) >= LONGEST


class PanicException(BaseException):
    """As libraries written in Rust raise it."""


@pytest.mark.parametrize(
    "error", [PanicException("no"), Exception("no"), RecursionError("no"), KeyError("no")]
)
def test_errors_of_libraries_become_one_sentence(error):
    with (
        pytest.raises(StudyError, match=r"^here: cannot be read \('?no'?\)$"),
        explained("here: cannot be read"),
    ):
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_a_process_is_not_an_error_of_a_library(error):
    with pytest.raises(error), explained("here"):
        raise error
