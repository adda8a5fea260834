"""The battery on a machine whose thoughts are known by construction, and on one that ignores them.

The machine looks facts up: the state of a column is the name that a fact gives for the name at the column, so
its thoughts are the nodes on the way from the root, one after the other. After ### it names what the last
column before it holds. Every question here is about two disjoint chains of three facts:

    root -> u -> v -> option          other root -> x -> y -> other option
"""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from transformers import GPT2Config

from coconut_study.common.errors import StudyError
from coconut_study.engine.tokenizer import add_marks, word_level
from coconut_study.evaluation.conditions import conditions, kind_of, places
from coconut_study.evaluation.interventions import COLUMNS, intervene
from coconut_study.evaluation.settings import Responding
from coconut_study.questions.graphs import CONCEPTS, PERSONS, Graph
from coconut_study.questions.question import Question, from_graphs
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES

TEXT = TextSettings(template="symbols", facts_share_position=False)
THOUGHTS = Layout(hidden=3, thoughts=3, kind="continuous", markers=False)
PAUSES = Layout(hidden=3, thoughts=3, kind="pause", markers=False)
STEPS = Layout(hidden=0, thoughts=0, kind="none", markers=False)
RESPONDING = Responding(batch_size=64, max_new_tokens=6)
N_GROUPS, SURE = 3, 20.0  # a machine is sure of a name: its logit, beside 0 for all others


class Machine(nn.Module):
    """The machine behind the interface of Hugging Face that the engine uses; its cache keeps the inputs.

    One that is `deaf` follows the facts from the root when it is asked for its answer, whatever it thought.
    """

    def __init__(self, tokenizer, deaf=False):
        super().__init__()
        self.vocabulary, self.deaf = tokenizer.get_vocab(), deaf
        size = len(self.vocabulary)
        self.config = GPT2Config(n_layer=1, n_head=1, n_embd=size, vocab_size=size, n_positions=64)
        self.embedding = nn.Embedding.from_pretrained(torch.eye(size, dtype=torch.float64))
        self.device = torch.device("cpu")

    @property
    def base_model(self):
        return self.read

    def get_input_embeddings(self):
        return self.embedding

    def get_output_embeddings(self):
        return lambda hidden: SURE * hidden

    def read(self, *, inputs_embeds, attention_mask, past_key_values, **others):
        new = inputs_embeds.shape[1]
        _, values = past_key_values.update(
            torch.zeros_like(inputs_embeds)[:, None], inputs_embeds[:, None], 0
        )
        seen = attention_mask
        if seen.dim() == 2:  # causal among the new columns
            seen = seen[:, None].expand(-1, new, -1).bool()
            seen = seen & torch.ones(new, seen.shape[2], dtype=torch.bool).tril(seen.shape[2] - new)
        else:
            seen = seen[:, 0] == 0
        words = values[:, 0].argmax(dim=-1)
        first = values.shape[2] - new
        states = torch.zeros_like(inputs_embeds)
        for row, column in np.ndindex(len(states), new):
            before = seen[row, column, : first + column].nonzero()[:, 0]
            own = words[row, first + column].item()
            states[row, column] = self.state(own, words[row, before].tolist(), values[row, 0, before])
        return SimpleNamespace(last_hidden_state=states)

    def state(self, own, words, before):
        """The state of a column that holds a word after columns with `words`, which hold `before`."""
        mark = self.vocabulary["###"]
        if own != mark:
            return self.named("<eos>") if words and words[-1] == mark else self.follow(own, words)
        if not self.deaf:
            return before[-1]
        state = words[words.index(self.vocabulary["|"]) + 1]
        for _ in range(3):
            state = self.follow(state, words).argmax().item()
        return self.embedding.weight[state]

    def follow(self, word, words):
        """The name that the facts give for a name, or the answer mark if they give none."""
        end = words.index(self.vocabulary["?"]) if self.vocabulary["?"] in words else len(words)
        facts = dict(zip(words[:end:2], words[1:end:2], strict=False))
        return self.embedding.weight[facts.get(word, self.vocabulary["###"])]

    def named(self, word):
        return self.embedding.weight[self.vocabulary[word]]


def group(number, crossed=True):
    """A group on names of its own: a graph asked from both roots, and its twin."""
    names = (*PERSONS[2 * number : 2 * number + 2], *CONCEPTS[6 * number : 6 * number + 6])
    graph = ((0, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7))
    twin = ((0, 2), (2, 6), (3, 4), (1, 5), (5, 3), (6, 7))
    asked = [Graph(names, graph, 0, 4, 7), Graph(names, graph, 1, 7, 4)]
    return asked + [Graph(names, twin, 0, 7, 4), Graph(names, twin, 1, 4, 7)] * crossed


@pytest.fixture(scope="module")
def questions():
    rng = np.random.default_rng(0)
    return [one for number in range(N_GROUPS) for one in from_graphs(group(number), rng)]


@pytest.fixture(scope="module")
def tokenizer(questions):
    tokenizer = word_level([TEMPLATES["symbols"].text(question) for question in questions])
    add_marks(tokenizer)
    return tokenizer


def battery(model, tokenizer, questions, layout=THOUGHTS, name="full", responding=RESPONDING):
    return intervene(model, tokenizer, questions, TEXT, layout, name, 0, responding)


@pytest.fixture(scope="module")
def table(tokenizer, questions):
    return battery(Machine(tokenizer), tokenizer, questions)


@pytest.fixture(scope="module")
def deaf(tokenizer, questions):
    return battery(Machine(tokenizer, deaf=True), tokenizer, questions)


def of(table, thoughts, content, part="input", later="kept"):
    """The rows of a condition, with T and escape (%)."""
    rows = table[
        (table["thoughts"] == thoughts) & (table["content"] == content)
        & (table["part"] == part) & (table["later"] == later)
    ]  # fmt: skip
    right, wrong = rows["p right"], rows["p wrong"]
    assert len(rows) == 4 * N_GROUPS
    return rows.assign(T=100 * right / (right + wrong), escape=100 * (1 - right - wrong))


def is_all(rows, T, escape=0.0, right=None):
    assert rows["T"].tolist() == pytest.approx([T] * len(rows), abs=1e-3)
    assert rows["escape"].tolist() == pytest.approx([escape] * len(rows), abs=1e-3)
    if right is not None:
        assert set(rows["right"]) == {right}


def test_own_thoughts_answer_everything_and_put_back_they_change_no_bit(table):
    own = of(table, "all", "own")
    is_all(own, 100, right=True)
    back = table[table["content"] == "own"]
    assert len(back) == len(own) * (
        5 * 4 + 3 * 4
    )  # five sets of thoughts, four parts; three sets have later ones
    for column in ("p right", "p wrong"):
        assert (back[column] == back["question"].map(own.set_index("question")[column])).all()


@pytest.mark.parametrize("content", ["mirror", "twin", "other answer"])
@pytest.mark.parametrize("part", ["input", "both", "values"])
@pytest.mark.parametrize("thoughts", ["all", "last"])
def test_the_answer_is_that_of_the_last_thought(table, content, part, thoughts):
    is_all(of(table, thoughts, content, part), 0, right=part != "input" and None)


@pytest.mark.parametrize("thoughts", ["all", "last"])
@pytest.mark.parametrize("part", ["input", "both", "values"])
def test_thoughts_of_a_question_with_the_same_answer_keep_the_answer(table, thoughts, part):
    is_all(of(table, thoughts, "same answer", part), 100)


def test_flips_and_redirection_are_those_of_the_construction(table):
    own = of(table, "all", "own").set_index("question")["T"]
    flips = {
        content: (own - of(table, "all", content).set_index("question")["T"] >= 50).mean()
        for content in ("mirror", "same answer", "random")
    }
    assert flips["mirror"] - flips["same answer"] == 1
    assert flips["random"] == 0  # its option is neither of the two: T falls to 50, by a little less than 50


def test_the_machine_reads_no_keys(table):
    for content in ("mirror", "random", "zero"):
        is_all(of(table, "all", content, "keys"), 100)


@pytest.mark.parametrize("thoughts", ["1", "2", "all but last"])
def test_earlier_thoughts_matter_only_to_what_is_computed_from_them(table, thoughts):
    is_all(of(table, thoughts, "mirror"), 100, right=True)
    is_all(of(table, thoughts, "mirror", later="recomputed"), 0, right=False)
    own_way = of(table, thoughts, "twin", later="recomputed")["T"]
    # From thought 1 on the question's own facts lead from the same node; from thought 2 on from the twin's.
    assert own_way.tolist() == pytest.approx([100 if thoughts == "1" else 0] * len(own_way), abs=1e-3)


def test_with_the_roots_exchanged_own_thoughts_decide(table):
    is_all(of(table, "root", "mirror"), 100)
    is_all(of(table, "root", "mirror", later="recomputed"), 0)


def softmax(*logits, among):
    """The probability of the first of some logits, beside zeros for the rest of `among` words."""
    return math.exp(logits[0]) / (sum(map(math.exp, logits)) + among - len(logits))


def test_contents_without_the_answer_leave_a_coin(table, tokenizer):
    size = len(tokenizer)
    other = softmax(SURE, among=size) / math.exp(SURE)  # of each word, where another word has the logit
    is_all(of(table, "all", "random"), 50, 100 * (1 - 2 * other))
    is_all(of(table, "all", "pause"), 50, 100 * (1 - 2 * other))
    is_all(of(table, "all", "zero"), 50, 100 * (1 - 2 / size))
    # The mean over two other groups has a quarter of each of their four options.
    quarters = softmax(*[SURE / 4] * 4, among=size) / math.exp(SURE / 4)
    is_all(of(table, "all", "mean"), 50, 100 * (1 - 2 * quarters))


def test_after_removed_thoughts_the_answer_is_what_the_last_column_holds(table):
    is_all(of(table, "1", "removed"), 100, right=True)
    is_all(of(table, "2", "removed"), 100, right=True)
    is_all(of(table, "all but last", "removed"), 100, right=True)
    for thoughts, later in (("last", "kept"), ("all", "kept"), ("1", "recomputed"), ("2", "recomputed")):
        removed = of(table, thoughts, "removed", later=later)
        assert removed["T"].tolist() == pytest.approx([50] * len(removed))
        assert (removed["escape"] > 99.9).all()
        assert removed["right"].all()  # free, the machine writes what is left of the way, and then its end


def test_noise_has_the_norm_of_the_thought_and_is_drawn_for_each_question(table, tokenizer, questions):
    noise = of(table, "all", "noise")
    best = softmax(SURE, among=len(tokenizer))  # a unit vector gives no name more than this
    assert (noise[["p right", "p wrong"]] <= best).all(axis=None)
    assert noise["p right"].nunique() == len(noise)


def test_a_machine_that_ignores_its_thoughts_has_necessity_zero_in_every_condition(deaf):
    replaced = deaf[deaf["thoughts"] != "root"]
    own = of(deaf, "all", "own").set_index("question")
    is_all(of(deaf, "all", "own"), 100, right=True)
    for column in ("p right", "p wrong"):
        assert (replaced[column] == replaced["question"].map(own[column])).all()
    is_all(of(deaf, "root", "mirror"), 0)
    is_all(of(deaf, "root", "mirror", later="recomputed"), 0)


def test_written_steps_are_replaced_by_those_written_on_other_questions(tokenizer, questions):
    table = battery(Machine(tokenizer), tokenizer, questions, STEPS, "short")
    assert set(table["part"]) == {"steps"}
    is_all(of(table, "all", "own", "steps"), 100, right=True)
    is_all(of(table, "all", "same answer", "steps"), 100, right=True)
    for content in ("mirror", "twin", "other answer"):
        is_all(of(table, "all", content, "steps"), 0, right=False)
    for content in ("random", "removed"):
        assert of(table, "all", content, "steps")["T"].tolist() == pytest.approx([50] * 4 * N_GROUPS)


def test_pauses_are_replaced_in_the_cache_alone(tokenizer, questions):
    table = battery(Machine(tokenizer, deaf=True), tokenizer, questions, PAUSES)
    assert set(table.loc[table["thoughts"] != "root", "part"]) == {"both", "keys", "values"}
    assert "pause" not in set(table["content"])
    is_all(of(table, "all", "own", "both"), 100)
    is_all(of(table, "all", "mean", "both"), 100)
    # The machine that answers with its last thought has only a pause there, of whatever question.
    thinking = battery(Machine(tokenizer), tokenizer, questions, PAUSES)
    own, mirror = of(thinking, "all", "own", "both"), of(thinking, "all", "mirror", "both")
    assert own["T"].tolist() == mirror["T"].tolist() == pytest.approx([50] * len(own))


def test_results_repeat_and_do_not_depend_on_the_batch(tokenizer, questions):
    small = Responding(batch_size=7, max_new_tokens=6)
    tables = [
        battery(Machine(tokenizer), tokenizer, questions, name="short", responding=responding)
        for responding in (RESPONDING, small)
    ]
    pd.testing.assert_frame_equal(*tables, rtol=1e-9)


def test_thoughts_computed_side_by_side_give_the_same_with_as_many_iterations(tokenizer, questions):
    side_by_side = THOUGHTS.model_copy(update={"iterations": 3})
    one_by_one, together = (
        battery(Machine(tokenizer), tokenizer, questions, layout, "short")
        for layout in (THOUGHTS, side_by_side)
    )
    pd.testing.assert_frame_equal(one_by_one, together, rtol=1e-9)


def test_there_is_a_row_for_every_question_and_condition(table):
    assert tuple(table.columns) == COLUMNS
    key = ["question", "thoughts", "content", "part", "later"]
    assert not table.duplicated(key).any()
    assert len(table) == 4 * N_GROUPS * len(conditions(THOUGHTS, "full"))
    assert table.groupby("question")["group"].first().tolist() == [number // 4 for number in range(12)]


def test_a_question_without_mates_has_no_rows_for_them(tokenizer, questions):
    table = battery(Machine(tokenizer), tokenizer, questions[::4], name="short")
    assert not {"mirror", "twin"} & {*table["content"]}
    assert {"same answer", "random"} < {*table["content"]}


def test_the_necessity_of_thoughts_takes_three_conditions():
    assert [tuple(c) for c in conditions(THOUGHTS, "necessity")] == [
        ("all", content, "input", "kept") for content in ("own", "mean", "removed")
    ]
    assert {c.part for c in conditions(PAUSES, "necessity")} == {"both"}
    assert [c.content for c in conditions(STEPS, "necessity")] == ["own", "removed"]


def test_sets_of_thoughts_that_are_the_same_have_one_name():
    assert places(1) == {"all": (0,)}
    assert places(2) == {"all but last": (0,), "last": (1,), "all": (0, 1)}
    assert [*places(3)] == ["1", "2", "last", "all but last", "all"]


def test_a_method_with_nothing_to_replace_is_refused(tokenizer, questions):
    none = Layout(hidden=3, thoughts=0, kind="none", markers=False)
    assert kind_of(none) is None
    with pytest.raises(ValueError, match="nothing to replace"):
        battery(Machine(tokenizer), tokenizer, questions, none)


def test_questions_of_one_group_or_without_graphs_are_refused(tokenizer, questions):
    with pytest.raises(ValueError, match="of one group"):
        battery(Machine(tokenizer), tokenizer, questions[:4])
    alone = Question(questions[0].question, questions[0].steps, questions[0].answer)
    with pytest.raises(ValueError, match="only graph questions"):
        battery(Machine(tokenizer), tokenizer, [*questions, alone])


def test_a_response_that_exceeds_the_positions_of_the_model_is_refused(tokenizer, questions):
    with pytest.raises(StudyError, match=r"^responding.max_new_tokens: 60 tokens after a question"):
        battery(Machine(tokenizer), tokenizer, questions,
                responding=Responding(batch_size=8, max_new_tokens=60))  # fmt: skip
