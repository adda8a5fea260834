"""What thoughts attend to, against a model that attends to all columns alike and against plain passes."""

import numpy as np
import pytest
import torch

from coconut_study.engine.tokenizer import add_marks, marks_of, word_level
from coconut_study.evaluation import attention as attended
from coconut_study.evaluation.attention import FRONTIER, NEXT, PATH, REACHED, UNREACHED, attention, kinds
from coconut_study.evaluation.places import fact_tokens
from coconut_study.questions.question import facts_of, from_graphs
from coconut_study.sequences.builder import build, tokenize
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES

from ...conftest import tiny

THOUGHTS = Layout(hidden=None, thoughts=2, kind="continuous", markers=False)
SOFT = Layout(hidden=None, thoughts=2, kind="soft", markers=False)
PAUSES = Layout(hidden=None, thoughts=2, kind="pause", markers=False)


class Setup:
    """Two questions on one graph, a tokenizer and a tiny model."""

    def __init__(self, graph, template="symbols", model_type="gpt2"):
        self.questions = [from_graphs([graph], np.random.default_rng(seed))[0] for seed in (0, 1)]
        self.text = TextSettings(template=template, facts_share_position=False)
        self.tokenizer = word_level(TEMPLATES[template].text(question) for question in self.questions)
        add_marks(self.tokenizer)
        self.model = tiny(model_type, len(self.tokenizer))

    def attention(self, layout=THOUGHTS, batch_size=8):
        return attention(self.model, self.tokenizer, self.questions, layout, self.text, batch_size)


def test_facts_are_told_apart_by_where_their_head_is(question):
    told = facts_of(question.question)

    def named(which):
        return {told[i] for i in np.flatnonzero(which)}

    before, one, two = kinds(question, 2)
    from_alex = {("Alex", "lempus"), ("Alex", "dumpus")}
    onwards = {("lempus", "rompus"), ("dumpus", "rompus"), ("lempus", "dumpus")}
    assert named(before[REACHED]) == named(before[FRONTIER]) == named(before[NEXT]) == from_alex
    assert named(one[FRONTIER]) == onwards
    assert named(one[NEXT]) == onwards - {("lempus", "dumpus")}
    assert named(one[REACHED]) == from_alex | onwards
    assert named(one[PATH]) == from_alex | onwards - {("lempus", "dumpus")}
    assert named(one[UNREACHED]) == {("rompus", "impus"), ("Tom", "gorpus")}
    assert named(two[FRONTIER]) == {("rompus", "impus")}
    assert named(two[UNREACHED]) == {("Tom", "gorpus")}


@pytest.mark.parametrize("layout", [THOUGHTS, PAUSES], ids=["thoughts", "pauses"])
def test_a_model_that_attends_to_all_columns_alike_has_no_scores_between_facts(graph, layout):
    setup = Setup(graph)
    with torch.no_grad():
        for block in setup.model.transformer.h:
            block.attn.c_attn.weight.zero_()
            block.attn.c_attn.bias.zero_()
    table = setup.attention(layout)
    n_question = len(
        tokenize(setup.questions, TEMPLATES["symbols"], setup.tokenizer, shared=False)[0].question
    )
    for row in table.itertuples():
        assert row.attention == pytest.approx(2 / (n_question + row.thought))  # a fact has two tokens
        assert row.score == pytest.approx(np.log(2 / (n_question + row.thought)))


@pytest.mark.parametrize("model_type", ["gpt2", "llama"])
@pytest.mark.parametrize("template", ["symbols", "prose"])
@pytest.mark.parametrize("layout", [THOUGHTS, SOFT], ids=["thoughts", "soft"])
def test_attention_is_that_of_a_plain_pass_with_the_thoughts_filled_in(graph, template, model_type, layout):
    setup = Setup(graph, template, model_type)
    setup.questions = setup.questions[:1]
    table = setup.attention(layout).set_index(["thought", "layer", "head", "facts"])["attention"]
    model, question = setup.model, setup.questions[0]
    (tokens,) = tokenize([question], TEMPLATES[template], setup.tokenizer, shared=False)
    prompt = build(tokens, THOUGHTS, marks_of(setup.tokenizer)).prompt
    inputs = model.get_input_embeddings()(torch.tensor([prompt.before]))
    with torch.no_grad():
        for _ in range(2):
            hidden = model.base_model(inputs_embeds=inputs).last_hidden_state
            thought = hidden[:, -1:]
            if layout is SOFT:
                shares = model.get_output_embeddings()(thought).softmax(dim=-1)
                thought = shares @ model.get_input_embeddings().weight
            inputs = torch.cat([inputs, thought], dim=1)
        model.set_attn_implementation("eager")
        weights = model.base_model(inputs_embeds=inputs, output_attentions=True).attentions
    facts = fact_tokens(setup.tokenizer, question, template)
    for thought, kinds_of in enumerate(kinds(question, 2)):
        for layer in (1, 2):
            for head in (1, 2):
                row = weights[layer - 1][0, head - 1, len(prompt.before) - 1 + thought]
                given = np.array([row[columns].sum().item() for columns in facts])
                for kind, which in kinds_of.items():
                    if which.any():
                        expected = pytest.approx(given[which].mean(), abs=1e-5)
                        assert table[thought, layer, head, kind] == expected


def test_attention_does_not_depend_on_the_batch_and_leaves_the_model_as_it_was(graph):
    setup = Setup(graph)
    usual = setup.model.config._attn_implementation
    one, many = setup.attention(batch_size=1), setup.attention(batch_size=8)
    assert setup.model.config._attn_implementation == usual
    assert tuple(one.columns) == attended.ATTENTION_COLUMNS
    np.testing.assert_allclose(one["score"], many["score"], atol=1e-5)
    assert set(one["questions"]) == {2}


def test_a_method_without_thoughts_attends_to_nothing(graph):
    with pytest.raises(ValueError, match="only thoughts and pauses"):
        Setup(graph).attention(Layout(hidden=0, thoughts=0, kind="none", markers=False))
