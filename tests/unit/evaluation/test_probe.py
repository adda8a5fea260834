"""Values of candidates and words of thoughts, against the definition without cache or batch."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from coconut_study.engine import forward as engine
from coconut_study.engine.tokenizer import add_marks, word_level
from coconut_study.evaluation import probe
from coconut_study.questions.frontiers import candidates
from coconut_study.questions.question import Question, from_graphs
from coconut_study.sequences.builder import Sequence, tokenize
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import TEMPLATES

from ..engine.test_engine import assert_close, plain, sequence

LAYOUTS = [Layout(hidden=k, thoughts=k, kind="continuous", markers=True) for k in (1, 2)]
PAUSES = [Layout(hidden=k, thoughts=k, kind="pause", markers=True) for k in (0, 1, 2)]


def byte_pairs(texts):
    """A byte-level BPE tokenizer with few merges, so that a name is several tokens, as in GPT-2."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words = [part for text in texts for part in (text.question, *text.steps, text.answer)]
    bpe.train_from_iterator(
        words, trainers.BpeTrainer(vocab_size=266, initial_alphabet=alphabet, show_progress=False)
    )
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<eos>")


class Setup:
    """A template, a tokenizer, a tiny model in float64 and three questions."""

    def __init__(self, name, make, graph):
        self.name = name
        self.questions = [from_graphs([graph], np.random.default_rng(seed))[0] for seed in range(3)]
        texts = [TEMPLATES[name].text(question) for question in self.questions]
        self.tokenizer = make(texts)
        add_marks(self.tokenizer)
        self.tokens = tokenize(self.questions, TEMPLATES[name], self.tokenizer, shared=False)
        config = GPT2Config(
            n_layer=2,
            n_head=2,
            n_embd=16,
            vocab_size=len(self.tokenizer),
            initializer_range=0.4,
            bos_token_id=0,
            eos_token_id=0,
        )
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.model = GPT2LMHeadModel(config).double().eval()

    def probe(self, layouts=LAYOUTS, batch_size=8):
        rows = probe.probe(
            self.model,
            self.tokenizer,
            self.questions,
            self.tokens,
            layouts,
            self.name,
            "shortest",
            batch_size,
        )
        assert all(row.keys() == {*probe.VALUE_COLUMNS} for row in rows)
        return pd.DataFrame(rows)

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.fixture(
    params=[("prose", word_level), ("symbols", word_level), ("prose", byte_pairs)],
    ids=["prose", "symbols", "prose in byte pairs"],
)
def setup(request, graph):
    return Setup(*request.param, graph)


@pytest.fixture
def groups():
    """Groups of rows that share what comes before the thoughts; rows differ in thoughts and what follows."""
    rng = np.random.default_rng(0)
    groups = []
    for before, shapes in ((5, [(2, 4, 3), (1, 3, 2), (2, 1, 1)]), (9, [(0, 3, 2), (3, 2, 1)])):
        rows = [sequence(rng, before, *shape) for shape in shapes]
        groups.append([Sequence(rows[0].before, r.thoughts, r.after, r.positions, r.n_loss) for r in rows])
    return groups


@torch.no_grad()
def product(model, row):
    """The definition: the probabilities of the loss tokens, multiplied."""
    chances = plain(model, row).softmax(dim=-1)
    targets = row.after[-row.n_loss :]
    return torch.stack([chances[i, token] for i, token in enumerate(targets)]).prod()


def test_a_value_is_the_product_over_its_tokens_without_cache_or_batch(model, groups):
    found = probe.values(model, groups, pad=0)
    expected = torch.stack([product(model, row) for group in groups for row in group])
    assert_close(model, found, expected)
    assert found.min() > 0


def test_rows_and_groups_do_not_touch_one_another(model, groups):
    together = probe.values(model, groups, pad=0)
    alone = [probe.values(model, [[row]], pad=17) for group in groups for row in group]
    assert_close(model, together, torch.cat(alone))


def test_the_values_of_all_words_sum_to_one(model):
    rng = np.random.default_rng(1)
    row = sequence(rng, 6, 2, 2, 1)
    rows = [Sequence(row.before, 2, [row.after[0], word], row.positions, 1) for word in range(32)]
    assert probe.values(model, [rows], pad=0).sum().item() == pytest.approx(1, abs=1e-6)


def test_question_and_thoughts_are_read_once_for_all_rows(model, groups, monkeypatch):
    read, sizes = engine.Reader.read, []

    def counted(reader, embeds_BTD, *others):
        sizes.append(tuple(embeds_BTD.shape[:2]))
        return read(reader, embeds_BTD, *others)

    monkeypatch.setattr(engine.Reader, "read", counted)
    probe.values(model, groups, pad=0)
    assert sizes == [(2, 9), (2, 1), (2, 1), (2, 1), (5, 4)]


def test_a_probe_makes_the_model_write_a_step_after_k_thoughts(setup):
    table = setup.probe()
    assert tuple(table.columns) == probe.VALUE_COLUMNS
    opening = {"prose": "Every", "symbols": ""}[setup.name]
    bot, eot = setup.ids("<bot><eot>")
    for row in table.itertuples():
        name = setup.ids(f"{opening} {row.node}")[len(setup.ids(opening)) :]
        before = [*setup.tokens[row.question].question, bot]
        after = [eot, *setup.ids(opening), *name]
        positions = list(range(len(before) + row.k + len(after)))
        expected = product(setup.model, Sequence(before, row.k, after, positions, len(name)))
        assert row.value == pytest.approx(expected.item(), rel=1e-6)


def test_a_value_after_pauses_is_the_probability_of_the_name_in_plain_text(setup):
    table = setup.probe(PAUSES)
    opening = {"prose": "Every", "symbols": ""}[setup.name]
    assert set(table["k"]) == {"prose": {1, 2}, "symbols": {0, 1, 2}}[setup.name]
    for row in table.itertuples():
        before = [*setup.tokens[row.question].question, *setup.ids("<bot>" + row.k * "<pause>" + "<eot>")]
        before += setup.ids(opening)
        ids = torch.tensor([before + setup.ids(f"{opening} {row.node}")[len(setup.ids(opening)) :]])
        with torch.no_grad():
            log_p = setup.model(input_ids=ids).logits.log_softmax(dim=-1)[0]
        told = [log_p[i - 1, ids[0, i]].item() for i in range(len(before), ids.shape[1])]
        assert row.value == pytest.approx(math.exp(sum(told)), rel=1e-6)


def test_pauses_and_thoughts_have_the_same_candidates_and_other_values(setup):
    paused, thought = setup.probe(PAUSES[1:]), setup.probe()
    same = [column for column in probe.VALUE_COLUMNS if column != "value"]
    pd.testing.assert_frame_equal(paused[same], thought[same])
    assert (paused["value"] != thought["value"]).all()


def test_values_after_pauses_do_not_depend_on_the_batch(setup):
    pd.testing.assert_frame_equal(setup.probe(PAUSES), setup.probe(PAUSES, batch_size=1), rtol=1e-9)


def test_questions_that_were_drawn_together_have_one_group(graph):
    symbols = Setup("symbols", word_level, graph)
    alone = symbols.questions[0]
    symbols.questions[0] = Question(alone.question, alone.steps, alone.answer)
    table = symbols.probe()
    assert table.groupby("question")["group"].unique().map(list).to_dict() == {1: [1], 2: [1]}


def test_candidates_are_where_the_next_step_may_go_on(setup):
    table = setup.probe()
    depths = {"prose": {1: 1, 2: 2}, "symbols": {1: 2, 2: 3}}[setup.name]
    for k, depth in depths.items():
        wanted = {c.node: c for c in candidates(setup.questions[0].graph, depth, "shortest")}
        for _, found in table[table["k"] == k].groupby("question"):
            assert found["node"].tolist() == list(wanted)
            assert found["height"].tolist() == [c.height for c in wanted.values()]
            assert found["correct"].tolist() == [c.correct for c in wanted.values()]
            assert found["option"].tolist() == [c.option for c in wanted.values()]
            assert set(found["frontier"]) == {depth}
        assert table[table["k"] == k]["question"].nunique() == 3


def test_values_do_not_depend_on_the_batch_and_sum_to_no_more_than_one(setup):
    table = setup.probe()
    pd.testing.assert_frame_equal(table, setup.probe(batch_size=1), rtol=1e-9)
    assert (table.groupby(["question", "k"])["value"].sum() <= 1).all()
    assert table["value"].nunique() > 3


def test_steps_hidden_by_several_thoughts_each_decide_the_candidates(setup):
    two_a_step = Layout(hidden=1, thoughts=2, kind="continuous", markers=True)
    all_hidden = Layout(hidden=None, thoughts=1, kind="continuous", markers=True)
    one_a_step = setup.probe(LAYOUTS[:1])
    assert setup.probe([two_a_step])["node"].tolist() == one_a_step["node"].tolist()
    assert setup.probe([all_hidden])["node"].tolist() == one_a_step["node"].tolist()


def test_a_name_is_tokenized_as_after_its_opening(graph):
    prose = Setup("prose", byte_pairs, graph)
    opening, name = probe.name_tokens(prose.tokenizer, "Every", "lempus")
    assert prose.tokenizer.decode(opening + name) == "Every lempus"
    assert len(name) > 1
    whole = "".join(prose.tokenizer.convert_ids_to_tokens(name))
    assert whole == "Ġlempus"


def test_a_method_without_thoughts_is_not_probed(setup):
    with pytest.raises(ValueError, match="only continuous thoughts and pauses"):
        setup.probe([Layout(hidden=0, thoughts=0, kind="none", markers=False)])


def test_questions_without_a_graph_have_no_candidates(graph):
    prose = Setup("prose", word_level, graph)
    prose.questions = [Question(q.question, q.steps, q.answer) for q in prose.questions]
    assert prose.probe().empty


def test_thoughts_are_read_through_the_output_embeddings(setup):
    rows = probe.decoded(setup.model, setup.tokenizer, setup.tokens, LAYOUTS[1], top=3, batch_size=2)
    table = pd.DataFrame(rows)
    assert tuple(table.columns) == probe.DECODED_COLUMNS
    assert len(table) == 3 * 2 * 3
    bot, eot = setup.ids("<bot><eot>")
    for (question, thought), found in table.groupby(["question", "thought"]):
        before = [*setup.tokens[question].question, bot]
        # The thought that follows k - 1 thoughts is the state that would predict the token after them.
        row = Sequence(before, thought - 1, [eot], list(range(len(before) + thought)), 1)
        best = plain(setup.model, row)[0].softmax(dim=-1).topk(3)
        assert found["rank"].tolist() == [1, 2, 3]
        assert found["probability"].tolist() == pytest.approx(best.values.tolist(), rel=1e-6)
        assert found["token"].tolist() == [setup.tokenizer.decode([i]) for i in best.indices.tolist()]
