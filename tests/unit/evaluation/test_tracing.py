"""Tracing, on a machine whose thoughts are known and on tiny models."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coconut_study.common.errors import StudyError
from coconut_study.engine.tokenizer import add_marks, word_level
from coconut_study.evaluation import tracing
from coconut_study.evaluation.places import mirrored
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, facts_of, fault, from_graphs, group_numbers, options_of
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES

from ...conftest import tiny
from .machines import Machine

COCONUT = Layout(hidden=None, thoughts=3, kind="continuous", markers=False)
PAUSES = Layout(hidden=None, thoughts=3, kind="pause", markers=False)
COT = Layout(hidden=0, thoughts=0, kind="none", markers=False)
MARKED = Layout(hidden=None, thoughts=1, kind="continuous", markers=True)


@pytest.fixture
def questions(graph):
    """The question about either root of the graph: two groups of mirrors, as two seeds write them."""
    tom = replace(graph, root=1, target=graph.neg_target, neg_target=graph.target)
    return [q for seed in (0, 1) for q in from_graphs([graph, tom], np.random.default_rng(seed))]


@pytest.fixture(params=["symbols", "prose"])
def template(request):
    return request.param


def tokenizer_of(questions, template):
    asked = [*questions, *filter(None, map(mirrored, questions))]
    tokenizer = word_level(TEMPLATES[template].text(question) for question in asked)
    add_marks(tokenizer)
    return tokenizer


def trace(questions, layout, template="symbols", model=None, batch_size=64):
    tokenizer = tokenizer_of(questions, template)
    model = Machine(tokenizer) if model is None else model(len(tokenizer))
    text = TextSettings(template=template, facts_share_position=False)
    return tracing.trace(model, tokenizer, questions, layout, text, batch_size)


def shares(table):
    """The forced choice of every run, from 0 to 1: rows are places, columns layers."""
    share = table["p right"] / (table["p right"] + table["p wrong"])
    return table.assign(share=share).pivot_table(
        index="place",
        columns="layer",
        values="share",
        aggfunc=lambda values: sorted({round(v, 9) for v in values}),
    )


def test_effects_on_a_machine_that_hands_on_a_sign_are_those_computed_by_hand(questions):
    found = shares(trace(questions, COCONUT))
    assert found.loc["clean", -1] == [1]
    assert found.loc["corrupt", -1] == [0]
    by_hand = {
        "facts on the path": (0, 0, 0),
        "other facts": (0, 0, 0),
        "options": (0, 0, 0),
        "root": (1, 1, 1),
        "thought 1": (1, 1, 1),  # restored, it is handed on to the next, whatever the root is
        "thought 2": (1, 1, 1),
        "thought 3": (1, 1, 0),  # the answer mark takes over what goes into the last block
        "all thoughts": (1, 1, 1),
        "answer": (0, 0, 1),
        "everything": (1, 1, 1),
    }  # fmt: skip
    for place, effects in by_hand.items():
        assert [found.loc[place, layer] for layer in range(3)] == [[effect] for effect in effects], place
    assert {*found.index} == {*by_hand, "clean", "corrupt"}


def test_a_machine_whose_pauses_hand_nothing_on_ignores_the_root(questions):
    found = shares(trace(questions, PAUSES))
    assert found.loc["clean", -1] == found.loc["corrupt", -1] == [0.5]
    assert all(values == [0.5] for values in found.loc["all thoughts", [0, 1, 2]])


def test_one_row_for_every_question_layer_and_place(questions):
    table = trace(questions, COCONUT)
    assert tuple(table.columns) == tracing.TRACING_COLUMNS
    assert len(table) == 4 * (2 + 3 * 10)
    assert not table.duplicated(["question", "layer", "place"]).any()
    assert table.groupby("question")["group"].first().tolist() == group_numbers(questions)


@pytest.mark.parametrize("model_type", ["gpt2", "llama"])
@pytest.mark.parametrize("layout", [COCONUT, PAUSES, MARKED], ids=["thoughts", "pauses", "marked"])
def test_patching_everything_gives_the_clean_run(questions, template, model_type, layout):
    table = trace(questions, layout, template, lambda size: tiny(model_type, size))
    chances = table.set_index(["question", "layer", "place"])[["p right", "p wrong"]]
    clean = chances.xs((-1, "clean"), level=("layer", "place"))
    assert (clean != chances.xs((-1, "corrupt"), level=("layer", "place"))).all(axis=None)
    for layer in range(3):
        whole = chances.xs((layer, "everything"), level=("layer", "place"))
        pd.testing.assert_frame_equal(whole, clean, rtol=0, atol=0)


def test_facts_before_the_root_change_nothing_and_the_answer_decides_in_the_last_layer(questions, template):
    table = trace(questions, MARKED, template, lambda size: tiny("gpt2", size))
    chances = table.set_index(["question", "layer", "place"])[["p right", "p wrong"]]
    corrupt = chances.xs((-1, "corrupt"), level=("layer", "place"))
    for place in ("facts on the path", "other facts"):
        for layer in range(3):
            found = chances.xs((layer, place), level=("layer", "place"))
            pd.testing.assert_frame_equal(found, corrupt, rtol=0, atol=0)
    clean = chances.xs((-1, "clean"), level=("layer", "place"))
    pd.testing.assert_frame_equal(chances.xs((2, "answer"), level=("layer", "place")), clean, atol=1e-12)


def test_runs_do_not_depend_on_the_batch(questions):
    one, many = (
        trace(questions[:2], MARKED, model=lambda size: tiny("gpt2", size), batch_size=size)
        for size in (1, 64)
    )
    order = ["question", "layer", "place"]
    one, many = (table.sort_values(order, ignore_index=True) for table in (one, many))
    pd.testing.assert_frame_equal(one, many, atol=1e-9)


def test_written_steps_are_those_of_the_mirror_and_places_of_their_own():
    names = ("Alex", "Tom", "lempus", "dumpus", "rompus", "gorpus")
    graph = Graph(names, edges=((0, 2), (2, 4), (1, 3), (3, 5)), root=0, target=4, neg_target=5)
    question = from_graphs([graph], np.random.default_rng(0))[0]
    tokenizer = tokenizer_of([question], "symbols")
    text = TextSettings(template="symbols", facts_share_position=False)
    (found,) = tracing.traced(tokenizer, [question], COT, text)
    clean, corrupt = (tokenizer.decode(run[0].after) for run in (found.clean, found.corrupt))
    assert (clean, corrupt) == ("lempus rompus ### rompus", "dumpus gorpus ### rompus")
    steps = {name: place for name, place in found.places[0].items() if "step" in name}
    first = len(found.clean[0].before)
    assert steps == {"step 1": [first], "step 2": [first + 1], "all steps": [first, first + 1]}


def test_a_question_whose_mirror_has_other_columns_is_left_out(questions):
    with pytest.raises(StudyError, match="no question has a mirror with its tokens in the same places"):
        trace(questions, COT)  # the two roots are a different number of steps from their options


def test_questions_without_a_graph_are_not_traced(questions):
    plain = [Question(q.question, q.steps, q.answer) for q in questions]
    table = trace([plain[0], *questions[1:]], COCONUT, "prose")
    assert set(table["question"]) == {1, 2, 3}


def test_the_mirror_has_the_same_facts_and_options_in_the_same_order(questions):
    for question in questions:
        mirror = mirrored(question)
        assert fault(mirror) is None
        assert facts_of(mirror.question) == facts_of(question.question)
        assert options_of(mirror.question) == options_of(question.question)
        assert mirror.graph.root != question.graph.root
        assert mirrored(mirror).question == question.question


def test_a_question_whose_other_option_nobody_reaches_has_no_mirror():
    names = ("Alex", "lempus", "rompus", "gorpus")
    graph = Graph(names, edges=((0, 1), (1, 2), (3, 2)), root=0, target=2, neg_target=3)
    assert mirrored(from_graphs([graph], np.random.default_rng(0))[0]) is None
