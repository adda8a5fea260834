"""When thoughts end: stops and thresholds by hand, and chains against responses one by one."""

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from coconut_study.engine import decoding as engine
from coconut_study.engine.tokenizer import add_marks, marks_of, word_level
from coconut_study.evaluation import ending
from coconut_study.evaluation.ending import NEVER, Chains, Classifier
from coconut_study.evaluation.respond import respond
from coconut_study.evaluation.settings import Responding
from coconut_study.questions.question import Question, from_graphs
from coconut_study.sequences.builder import build, tokenize
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import TEMPLATES, answer_of, is_right

PROSE = TEMPLATES["prose"]
PROBABILITIES = np.array([[0.1, 0.6, 0.9], [0.7, 0.2, 0.3], [0.2, 0.305, 0.4]])


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.0, [0, 0, 0]),
        (0.2, [1, 0, 0]),
        (0.25, [1, 0, 1]),
        (0.5, [1, 0, 2]),
        (0.65, [2, 0, 2]),
        (0.95, [2, 2, 2]),
        (NEVER, [2, 2, 2]),
    ],
)
def test_a_question_stops_at_the_first_thought_that_reaches_the_threshold_or_else_at_the_last(
    threshold, expected
):
    assert ending.stops(PROBABILITIES, threshold).tolist() == expected


def test_the_threshold_is_that_with_most_right_answers():
    right = np.array([[False, True, False], [True, False, False], [False, False, True]])
    assert ending.threshold(PROBABILITIES, right) == pytest.approx(0.31)  # lower, the last one stops early
    assert ending.stops(PROBABILITIES, 0.31).tolist() == [1, 0, 2]


def test_of_equally_good_thresholds_it_is_that_with_fewest_thoughts():
    assert ending.threshold(PROBABILITIES, np.ones((3, 3), bool)) == 0
    assert ending.threshold(PROBABILITIES, np.zeros((3, 3), bool)) == 0
    right = np.array([[False, False, True], [True, True, True], [True, True, True]])
    chosen = ending.threshold(PROBABILITIES, right)
    assert ending.stops(PROBABILITIES, chosen).tolist() == [2, 0, 2]  # none lower has all right


def test_thinking_on_to_the_fixed_number_is_among_the_choices():
    certain = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    right = np.array([[False, False, True], [False, False, True]])
    assert ending.threshold(certain, right) == NEVER


# ------------------------------------------------------------------------------------------ classifier


def separable(seed, n=60, k=3):
    """Chains that turn right after some thoughts and stay so; one direction of the states tells."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, k + 1, n)
    right = np.arange(k + 1) >= first[:, None]
    states = rng.normal(size=(n, k + 1, 4))
    states[..., 2] = np.where(right, 5, -5) + 0.1 * states[..., 2]
    return Chains(states, right), first


def test_it_learns_to_stop_where_the_answer_is_right():
    learnt, _ = separable(0)
    tuned, _ = separable(1)
    tested, first = separable(2)
    rows = ending.rows(learnt, tuned, tested, range(60))
    assert [row["question"] for row in rows] == list(range(60))
    assert [row["classifier k"] for row in rows] == first.tolist()
    assert all(row["classifier right"] and row["fixed right"] and row["fixed k"] == 3 for row in rows)
    assert len({row["threshold"] for row in rows}) == 1


def test_it_stops_before_thoughts_that_spoil_the_answer():
    chains = []
    for seed in range(3):
        one, first = separable(seed)
        right = np.arange(4) == first[:, None]
        one.states[..., 2] = np.where(right, 5, -5)
        chains.append(Chains(one.states, right))
    rows = ending.rows(*chains, range(len(chains[-1].right)))
    assert all(row["classifier right"] for row in rows)
    assert [row["fixed right"] for row in rows] == chains[2].right[:, 3].tolist()
    assert not all(row["fixed right"] for row in rows)


def test_probabilities_are_those_of_an_answer_being_right():
    learnt, _ = separable(0)
    tested, _ = separable(2)
    found = Classifier(learnt).probabilities(tested.states)
    assert found.shape == tested.right.shape
    assert found[tested.right].min() > 0.9
    assert found[~tested.right].max() < 0.1


@pytest.mark.parametrize("answer", [True, False])
def test_answers_that_are_all_alike_do_not_fail(answer):
    one, _ = separable(0)
    same = Chains(one.states, np.full_like(one.right, answer))
    assert Classifier(same).probabilities(one.states).tolist() == np.full((60, 4), float(answer)).tolist()
    rows = ending.rows(same, same, same, range(len(same.right)))
    assert {(row["classifier k"], row["classifier right"], row["fixed right"]) for row in rows} == {
        (0, answer, answer)
    }
    late = Chains(one.states, np.broadcast_to(np.arange(4) == 3, (60, 4)))
    stopped = ending.rows(same, late, late, range(60))
    assert all(row["classifier right"] and row["classifier k"] == 3 for row in stopped)


# ---------------------------------------------------------------------------------------------- chains

K = 3
LAYOUTS = [Layout(hidden=k, thoughts=k, kind="continuous", markers=True) for k in range(K + 1)]
SETTINGS = Responding(batch_size=4, max_new_tokens=6)


@pytest.fixture
def setup(graph, monkeypatch):
    """A tiny model that often writes the answer mark, and questions to which it has an answer."""
    drawn = [from_graphs([graph], np.random.default_rng(seed))[0] for seed in range(10)]
    tokenizer = word_level([PROSE.text(question) for question in drawn])
    add_marks(tokenizer)
    config = GPT2Config(
        n_layer=2, n_head=2, n_embd=16, vocab_size=len(tokenizer), initializer_range=0.4, bos_token_id=1,
        eos_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GPT2LMHeadModel(config).double().eval()
    head, mark = model.get_output_embeddings(), tokenizer.get_vocab()["###"]
    original, favoured = head.forward, torch.arange(len(tokenizer)) == mark
    monkeypatch.setattr(head, "forward", lambda hidden: original(hidden) + 3 * favoured)
    read = tokenize(drawn, PROSE, tokenizer, shared=False)
    written, _ = respond(model, tokenizer, read, LAYOUTS, SETTINGS)
    answers = {(one.question, one.k): answer_of(one.text) for one in written}
    known = [
        Question(one.question, one.steps, answers[i, i % (K + 1)] or "none") for i, one in enumerate(drawn)
    ]
    return model, tokenizer, known, read


def test_right_answers_are_those_of_the_responses(setup):
    model, tokenizer, known, read = setup
    found = ending.chains(model, tokenizer, known, read, LAYOUTS, PROSE, SETTINGS)
    assert found.right.shape == (10, K + 1)
    assert 0 < found.right.mean() < 1
    assert len({tuple(row) for row in found.right}) > 2
    for k, layout in enumerate(LAYOUTS):
        responses, _ = respond(model, tokenizer, read, [layout], SETTINGS)
        graded = [is_right(known[one.question], one.text, PROSE) for one in responses]
        assert [one.question for one in responses] == list(range(10))
        assert found.right[:, k].tolist() == graded


def test_states_are_those_of_the_thoughts_of_one_question_after_the_other(setup):
    model, tokenizer, known, read = setup
    found = ending.chains(model, tokenizer, known, read, LAYOUTS, PROSE, SETTINGS)
    assert found.states.shape == (10, K + 1, 16)
    marks = marks_of(tokenizer)
    for one, states in zip(read, found.states, strict=True):
        alone = engine.thought_states(model, [build(one, LAYOUTS[-1], marks).prompt], K, marks)[0]
        np.testing.assert_allclose(states, alone.numpy(), rtol=0, atol=1e-5)


def test_batches_change_nothing(setup):
    model, tokenizer, known, read = setup
    one, other = (
        ending.chains(model, tokenizer, known, read, LAYOUTS, PROSE,
                      SETTINGS.model_copy(update={"batch_size": size}))
        for size in (3, 16)
    )  # fmt: skip
    assert one.right.tolist() == other.right.tolist()
    np.testing.assert_allclose(one.states, other.states, rtol=0, atol=1e-5)
