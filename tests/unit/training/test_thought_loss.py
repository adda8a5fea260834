"""The loss on thoughts: what they have to predict, its gradient, and what it leaves as it is."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from coconut_study.common.errors import StudyError
from coconut_study.engine import forward
from coconut_study.engine.batches import collate
from coconut_study.questions.frontiers import frontier
from coconut_study.sequences.builder import Sequence
from coconut_study.sequences.methods import ThoughtLoss
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model
from coconut_study.training.distributed import rows
from coconut_study.training.micro_batches import split
from coconut_study.training.sampler import Sampler
from coconut_study.training.stage import StageTrainer

from ...studies import ALONE, settings, with_value
from .conftest import changed

STEP = ThoughtLoss(target="step", weight=0.5)
FRONTIER = ThoughtLoss(target="frontier", weight=0.5)


@pytest.fixture(scope="module")
def symbols(splits):
    """The stages of Coconut, a base model without dropout, and its tokenizer; a step is one token."""
    text = {"template": "symbols", "facts_share_position": False}
    study = read_study(with_value(settings("smoke") | ALONE, "text", text))
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    model = study.model.model_copy(update={"architecture": study.model.architecture | still})
    stages = Plan(study).chain("balanced", "coconut", 1)
    return stages, *base_model.make(model, 0, map(TEMPLATES["symbols"].text, splits["train"]))


def supervised(symbols, stage, loss, **training):
    spec = changed(symbols[0][stage], redraw=False, **training)
    return spec.model_copy(update={"thought_loss": loss, "mixed": ()})


@pytest.mark.parametrize("loss", [STEP, FRONTIER])
def test_a_thought_predicts_the_node_of_its_step_or_all_nodes_as_far_from_the_root(symbols, splits, loss):
    sampler = Sampler(supervised(symbols, 2, loss), symbols[2], splits["train"])
    for i, row in zip(sampler.chosen(0), sampler.batch(0, removed=0), strict=True):
        question = splits["train"][i]
        found = [set(symbols[2].convert_ids_to_tokens(list(tokens))) for tokens in row.supervised]
        nodes = [{question.graph.names[node] for node in frontier(question.graph, depth)} for depth in (1, 2)]
        if loss is FRONTIER:
            assert found == nodes
        else:
            assert found == [{step.split()[-1].strip(".")} for step in question.steps]
            assert all(one <= other for one, other in zip(found, nodes, strict=True))


def test_more_thoughts_than_steps_have_nothing_to_predict(symbols, splits):
    short = [replace(one, steps=one.steps[:1]) for one in splits["train"]]
    sampler = Sampler(supervised(symbols, 2, STEP), symbols[2], short)
    assert {(row.thoughts, len(row.supervised)) for row in sampler.batch(0, removed=0)} == {(2, 1)}


def test_sequences_are_those_without_a_loss_on_thoughts(symbols, splits):
    plain, ours = (
        Sampler(supervised(symbols, 2, loss), symbols[2], splits["train"]).batch(0, removed=0)
        for loss in (None, FRONTIER)
    )
    assert [replace(row, supervised=()) for row in ours] == plain


SEQUENCES = [
    Sequence([1, 2, 3], 2, [4, 5], list(range(7)), 2, supervised=((6,), (7, 8, 9))),
    Sequence([1, 2], 1, [6, 7, 0], list(range(6)), 1, supervised=((5, 4),)),
    Sequence([3, 2], 0, [7, 0], list(range(4)), 2),
    Sequence([1, 2, 3, 4], 2, [5, 0], list(range(8)), 1, supervised=((3,),)),
]


def by_definition(model, row):
    """The cross-entropies of the thoughts of a sequence, without cache or batch."""
    embeds = model.get_input_embeddings()(torch.tensor([row.before]))
    losses = []
    for j in range(row.thoughts):
        state = model.base_model(inputs_embeds=embeds, use_cache=False).last_hidden_state[:, -1:]
        if j < len(row.supervised):
            wanted = torch.zeros(1, model.config.vocab_size, dtype=state.dtype)
            wanted[0, list(row.supervised[j])] = 1 / len(row.supervised[j])
            losses.append(cross_entropy(model.get_output_embeddings()(state[:, 0]), wanted))
        embeds = torch.cat([embeds, state], dim=1)
    return losses


def found_by(model, batch):
    return forward.thought_loss_sum(model, batch, forward.hidden_states(model, batch))


def test_the_loss_is_the_cross_entropy_to_equal_shares_of_the_states_that_become_thoughts(model):
    batch = collate(SEQUENCES, pad=0)
    assert batch.supervised.n_thoughts == 4
    expected = sum(loss for row in SEQUENCES for loss in by_definition(model, row))
    torch.testing.assert_close(found_by(model, batch), expected, rtol=0, atol=1e-5)
    assert collate([SEQUENCES[2]], pad=0).supervised is None


@pytest.mark.parametrize("n_processes", [1, 2, 5])
def test_rows_of_a_batch_have_the_losses_of_their_thoughts(model, n_processes):
    batch = collate(SEQUENCES, pad=0)
    found = sum(found_by(model, rows(batch, i, n_processes)) for i in range(n_processes))
    torch.testing.assert_close(found, found_by(model, batch), rtol=0, atol=1e-5)


def gradient(trainer, monkeypatch, batches):
    """The gradient of an update, and the sums that it reports; nothing is learnt."""
    learner, found = trainer.learner, {}
    with monkeypatch.context() as patch:
        patch.setattr(learner, "optimizer", _Kept(learner, found))
        sums = learner.update(batches, 0.0)
    return found, sums


class _Kept:
    """In place of an optimizer, keeps the gradients."""

    param_groups = ()

    def __init__(self, learner, found):
        self.learner, self.found = learner, found

    def step(self):
        self.found.update({name: p.grad.clone() for name, p in self.learner.learning.items()})

    def zero_grad(self):
        for p in self.learner.learning.values():
            p.grad = None


@pytest.mark.parametrize("size", [16, 3])
def test_the_gradient_is_that_of_both_means_and_the_reported_loss_that_of_tokens(
    symbols, splits, monkeypatch, size
):
    spec = supervised(symbols, 2, FRONTIER, clip=None)
    model = deepcopy(symbols[1]).double()
    trainer = StageTrainer(spec, model, symbols[2], splits["train"], splits["valid"])
    sequences = trainer.sampler.batch(0, removed=0)
    batches = split(sequences, size, trainer.sampler.marks.pad, share_prefixes=True)
    found, sums = gradient(trainer, monkeypatch, batches)
    plain = [replace(batch, supervised=None) for batch in batches]
    without, plain_sums = gradient(trainer, monkeypatch, plain)
    assert torch.equal(sums, plain_sums)
    model.train()
    n_thoughts = sum(len(row.supervised) for row in sequences)
    losses = torch.stack([loss for row in sequences for loss in by_definition(model, row)])
    (0.5 * losses.sum() / n_thoughts).backward()
    for name, p in model.named_parameters():
        expected = without[name] + (0 if p.grad is None else p.grad)
        torch.testing.assert_close(found[name], expected, rtol=0, atol=1e-9)


def test_only_stages_with_thoughts_have_the_loss():
    study = settings("smoke") | ALONE | {"sweep": {"methods": [], "k": []}}
    study["text"] = {"template": "symbols", "facts_share_position": False}
    study["runs"] = [{"datasets": ["balanced"], "methods": ["coconut"], "seeds": [1]}]
    plain, ours = (
        Plan(read_study(with_value(study, "methods.coconut.thought_loss", loss))).chain(
            "balanced", "coconut", 1
        )
        for loss in (None, STEP.model_dump())
    )
    assert [stage.thought_loss for stage in ours[:3]] == [None, STEP, STEP]
    assert ours[0] == plain[0]
    assert "thought_loss" not in plain[1].model_dump()


def test_it_needs_graphs_and_one_token_for_each_node(symbols, splits, stages, base):
    plain = [replace(one, graph=None) for one in splits["train"]]
    with pytest.raises(StudyError, match="thought_loss needs training questions with graphs"):
        Sampler(supervised(symbols, 1, STEP), symbols[2], plain)
    with pytest.raises(StudyError, match=r"thought_loss needs text.template: symbols"):
        Sampler(stages[1].model_copy(update={"thought_loss": STEP}), base[1], splits["train"])
