"""Linear probes, on states into which labels are written by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from coconut_study.engine.batches import collate
from coconut_study.engine.forward import hidden_states
from coconut_study.engine.tokenizer import add_marks, marks_of, word_level
from coconut_study.evaluation import linear_probe
from coconut_study.evaluation.linear_probe import OPTIONS, OTHER, OWN, WINNER, probes, reachable, split
from coconut_study.evaluation.states import states
from coconut_study.questions.graphs import rename
from coconut_study.questions.question import from_graphs, group_numbers
from coconut_study.sequences.builder import build, tokenize
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import TEMPLATES

from ...conftest import GRAPH, tiny

N_GROUPS = 200
PAUSES = Layout(hidden=None, thoughts=2, kind="pause", markers=True)
THOUGHTS = Layout(hidden=None, thoughts=2, kind="continuous", markers=True)


@pytest.fixture(scope="module")
def questions():
    """Groups of two mirrors with the same seven names, which are drawn anew for every group."""
    rng = np.random.default_rng(0)
    tom = replace(GRAPH, root=1, target=GRAPH.neg_target, neg_target=GRAPH.target)
    return [
        question
        for _ in range(N_GROUPS)
        for question in from_graphs(rename((GRAPH, tom), rng, persons=2, concepts=5), rng)
    ]


def planted(questions, noise):
    """States of two numbers of thoughts: noise first, then which names are within one edge, the right
    option, and noise."""
    rng = np.random.default_rng(1)
    names = sorted({name for question in questions for name in question.graph.names})
    code = np.array(
        [
            [float(reachable(q, 1).get(name, False)) for name in names]
            + [float(q.graph.names[q.graph.target] == name) for name in names]
            for q in questions
        ]
    )
    mixed = code @ rng.standard_normal((code.shape[1], 16)) + noise * rng.standard_normal((len(code), 16))
    return np.stack([rng.standard_normal(mixed.shape), mixed], axis=1)


def aucs(table, label, labels=OWN):
    chosen = table[(table["label"] == label) & (table["labels"] == labels)]
    return chosen.groupby("thoughts")["auc"].median()


def test_a_planted_linear_code_is_recovered_where_it_is_and_nowhere_else(questions):
    table = probes(planted(questions, noise=0.05), questions, [1])
    for label in ("within 1", WINNER):
        found = aucs(table, label)
        assert found[1] > 0.99
        assert found[0] == pytest.approx(0.5, abs=0.1)


def test_labels_of_another_graph_are_not_read(questions):
    table = probes(planted(questions, noise=0.05), questions, [1])
    for label in ("within 1", WINNER):
        assert aucs(table, label, OTHER)[1] == pytest.approx(0.5, abs=0.1)


def test_what_is_read_falls_with_noise(questions):
    clear, noisy = (
        aucs(probes(planted(questions, noise), questions, [1]), "within 1")[1] for noise in (0.1, 3)
    )
    assert 0.55 < noisy < clear - 0.05


def test_every_name_is_read_by_itself_and_the_winner_once(questions):
    table = probes(planted(questions, 0.1), questions, [1, 2])
    assert tuple(table.columns) == linear_probe.LINEAR_COLUMNS
    assert not table.duplicated(["thoughts", "label", "labels", "node"]).any()
    concepts = {name for q in questions for name in q.graph.names if name[0].islower()}
    assert set(table[table["label"] == "within 2"]["node"]) == concepts
    assert set(table[table["label"] == WINNER]["node"]) == {OPTIONS}


def test_no_group_is_both_learned_from_and_tested_on(questions):
    group = np.array(group_numbers(questions))
    halves = split(questions)
    assert not {*group[halves.train]} & {*group[halves.test]}
    assert len(halves.train) + len(halves.test) == len(questions)


def test_nodes_are_within_as_many_edges_as_the_shortest_path_has(question):
    assert {name for name, near in reachable(question, 1).items() if near} == {"lempus", "dumpus"}
    assert {name for name, near in reachable(question, 2).items() if near} == {"lempus", "dumpus", "rompus"}
    assert "Alex" not in reachable(question, 3)


@pytest.mark.parametrize("layout", [THOUGHTS, PAUSES], ids=["thoughts", "pauses"])
def test_states_are_those_of_the_last_token_and_of_each_thought(questions, layout):
    asked = questions[:3]
    tokenizer = word_level(TEMPLATES["symbols"].text(question) for question in asked)
    add_marks(tokenizer)
    model = tiny("gpt2", len(tokenizer))
    tokens = tokenize(asked, TEMPLATES["symbols"], tokenizer, shared=False)
    found = states(model, tokenizer, tokens, layout, batch_size=2)
    for row, one in enumerate(tokens):
        prompt = build(one, layout, marks_of(tokenizer)).prompt
        hidden = hidden_states(model, collate([prompt], 0))[0]
        first = len(one.question)  # <bot>, the last token before the thoughts
        torch.testing.assert_close(found[row], hidden[first : first + 3].float())


def test_a_method_without_thoughts_has_no_states(questions):
    with pytest.raises(ValueError, match="only thoughts and pauses"):
        states(None, None, [], Layout(hidden=0, thoughts=0, kind="none", markers=False), 1)
