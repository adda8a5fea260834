"""The data of the explorer, and how it is put into the page."""

import hashlib
import html
import json
import re

import pytest

from coconut_study.report import explorer
from coconut_study.report.palette import OUTCOMES
from coconut_study.sequences.templates import TEMPLATES

from . import explored

NAMES = ("Alex", "Tom", "lempus", "dumpus", "rompus", "gorpus", "impus")


@pytest.fixture(scope="module")
def page():
    return explored.page()


@pytest.fixture(scope="module")
def data(page):
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


@pytest.mark.parametrize(("limit", "n"), [(1, 4), (4, 4), (5, 5), (100, 5)])
def test_whole_groups_are_chosen_and_at_least_one(limit, n):
    assert len(explorer.chosen(explored.questions(), limit)) == n


def test_the_questions_of_a_group_are_named_by_facts_and_root():
    made = explorer.of_dataset("d", "D", explored.questions(), 40)
    relations = [dict(question["mates"]) for question in made["questions"]]
    assert relations[0] == {1: "mirror", 2: "twin", 3: "both"}
    assert relations[2] == {0: "twin", 1: "both", 3: "mirror"}
    assert relations[4] == {}
    assert [question["group"] for question in made["questions"]] == [0, 0, 0, 0, 1]


def test_a_graph_has_its_path_and_distances_from_the_root_or_from_the_other_person():
    graph = explorer.of_dataset("d", "D", explored.questions(), 40)["questions"][1]["graph"]
    assert graph["path"] == [1, 5]
    assert graph["distances"] == [(0, False), (0, True), (1, False), (1, False), (2, False), (1, True),
                                  (3, False)]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text", "edges"),
    [
        ("symbols", "lempus rompus ### rompus", [None, 2, 2, 4]),
        ("symbols", "lempus grimpus ### rompus", [None, 2, 2, -1]),
        ("symbols", "### rompus", []),
        ("prose", "Alex is a lempus.\nEvery lempus is a rompus.\n### Alex is a rompus.", [0, 2, 2, 4]),
        ("prose", "Every dumpus is a yumpus.", [3, -1]),
    ],
)
def test_written_steps_are_pairs_of_nodes(template, text, edges):
    assert explorer.written_edges(text, NAMES, TEMPLATES[template]) == edges


def test_texts_are_kept_once_for_each_question(data):
    made = data["datasets"][0]
    assert [text for text, _ in made["texts"][1]] == ["gorpus ### gorpus"]
    coconut, cot, _ = made["runs"]
    first = made["texts"][0]
    written = [first[answers["text"][0]][0] for answers in (*coconut["answers"], *cot["answers"])]
    assert written == ["lempus gorpus ### rompus", "rompus ### rompus", "lempus rompus impus ### impus"]


def test_answers_have_outcomes_and_are_right_or_wrong(data):
    before, after = data["datasets"][0]["runs"][0]["answers"]
    assert (before["k"], before["right"], after["k"], after["right"]) == (0, "01111", 1, "11101")
    assert data["outcomes"][before["outcome"][0]] == "hallucination"
    assert data["outcomes"][after["outcome"][3]] == "wrong target"


def test_values_are_in_thousandths_beside_their_nodes(data):
    before, after = data["datasets"][0]["runs"][0]["values"]
    assert before == {"k": 0, "frontier": 1, "of": [[2, 750, 3, 200], [5, 1000], None, None, None]}
    assert after == {"k": 1, "frontier": 2, "of": [[4, 910], None, None, None, None]}


def test_thoughts_are_lists_of_words_by_question(data):
    assert data["datasets"][0]["runs"][0]["thoughts"] == {"0": [[[explored.EVIL, 700], ["dumpus", 250]]]}


def test_conditions_have_forced_choices_and_name_the_questions_that_they_turned(data):
    run = data["datasets"][0]["runs"][0]
    own, mean, mirror = run["conditions"]
    assert [one["content"] for one in (own, mean, mirror)] == ["own", "mean", "mirror"]
    assert own["choice"] == "625a------"  # 98 and 90
    assert mean["choice"] == "324b------"  # 50 and 75
    assert (own["neither"], mean["neither"]) == ({}, {"1": 20})
    assert (mirror["choice"][:2], mirror["right"]) == ("0b", "01---")
    assert run["turned"] == {"mirror": [0]}  # 98 to 11; the mean takes 48 points, less than half


def test_what_was_not_measured_is_empty(data):
    run = data["datasets"][0]["runs"][1]
    assert (run["values"], run["thoughts"], run["conditions"], run["turned"]) == ([], {}, [], {})


def test_a_word_problem_has_no_graph_and_no_edges(data):
    made = data["datasets"][1]
    assert "graph" not in made["questions"][0]
    assert made["texts"] == [[[f"### 2 {explored.EVIL}", []]]]


def test_no_data_reaches_the_page_as_markup(page, data):
    assert data["description"] == f"A toy {explored.EVIL}"
    assert explored.EVIL in data["datasets"][0]["questions"][4]["graph"]["names"]
    assert "<img" not in page
    assert page.count("</script>") == 3  # the data, the library and the script of the page
    body = page.partition('id="data">')[2].partition("</script>")[0]
    assert not set(body) & set("<>&\u2028\u2029")


def test_line_separators_in_data_are_escaped():
    made = explorer.page("toy", "a\u2028b\u2029c", [], [])
    assert "\u2028" not in made
    assert "\\u2028b\\u2029" in made


def test_the_page_loads_nothing_and_runs_only_its_own_scripts(page):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    policy = html.unescape(policy)
    assert policy.startswith("default-src 'none'")
    assert "unsafe-inline" not in re.findall(r"script-src [^;]*", policy)[0]
    assert policy.count("sha256-") == 2
    assert not re.findall(r"<(?:link|img|iframe|script src)|@import", page.partition("<body>")[0])


def test_the_colours_of_the_page_are_those_of_the_figures():
    light, dark = explorer.colours(), explorer.colours(dark=True)
    assert "--thoughts: #0B6E99;" in light
    assert "--thoughts: #4FB3DC;" in dark
    for outcome in OUTCOMES:
        assert f"--{outcome.replace(' ', '-')}: #" in light


def test_vendored_files_are_those_of_the_named_packages():
    folder = explorer.WEB / "vendor"
    lines = (folder / "SOURCES.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert {row[4] for row in rows} == {path.name for path in folder.iterdir()} - {"SOURCES.txt"}
    for _package, version, _path, digest, name in rows:
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
