"""The residual stream, recorded and replaced."""

import numpy as np
import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from coconut_study.common.errors import StudyError
from coconut_study.engine import residuals
from coconut_study.engine.batches import collate
from coconut_study.engine.forward import hidden_states
from coconut_study.engine.residuals import Patch

from .test_engine import assert_close, sequence


@pytest.fixture
def batches():
    """Two batches of the same shapes with other tokens, with three thoughts in every row."""
    shapes = [(5, 3, 4), (9, 3, 3), (7, 3, 2)]
    return [
        collate([sequence(np.random.default_rng(seed), *shape) for shape in shapes], 0, share_prefixes=False)
        for seed in (1, 2)
    ]


def test_reading_gives_the_hidden_states_and_every_layer(model, batches):
    hidden_BTD, states_LBTD = residuals.read(model, batches[0])
    assert_close(model, hidden_BTD, hidden_states(model, batches[0]))
    assert len(states_LBTD) == 3
    embedded = model.get_input_embeddings()(batches[0].tokens_BT)
    first = states_LBTD[0, :, : batches[0].first_thought]
    if model.config.model_type != "gpt2":  # which adds positions
        assert_close(model, first, embedded[:, : batches[0].first_thought])


def test_the_last_layer_is_the_hidden_state_before_the_final_norm(model, batches):
    hidden_BTD, states_LBTD = residuals.read(model, batches[0])
    norm = model.base_model.ln_f if model.config.model_type == "gpt2" else model.base_model.norm
    assert_close(model, norm(states_LBTD[-1]), hidden_BTD)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_replacing_everything_gives_the_other_run_to_the_last_bit(model, batches, layer):
    one, other = batches
    clean_BTD, states_LBTD = residuals.read(model, one)
    assert not torch.equal(clean_BTD, residuals.read(model, other)[0])
    everywhere = torch.ones_like(one.tokens_BT, dtype=torch.bool)
    found, _ = residuals.read(model, other, Patch(layer, states_LBTD[layer], everywhere))
    assert torch.equal(found, clean_BTD)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_replacing_nothing_or_a_state_by_itself_changes_no_bit(model, batches, layer):
    own_BTD, states_LBTD = residuals.read(model, batches[1])
    for where in (torch.zeros, torch.ones):
        where_BT = where(batches[1].tokens_BT.shape, dtype=torch.bool)
        found, _ = residuals.read(model, batches[1], Patch(layer, states_LBTD[layer], where_BT))
        assert torch.equal(found, own_BTD)


def test_a_state_that_is_replaced_in_the_question_reaches_the_thoughts(model, batches):
    one, other = batches
    own_BTD, own_LBTD = residuals.read(model, other)
    where_BT = torch.zeros_like(one.tokens_BT, dtype=torch.bool)
    where_BT[:, one.first_thought - 1] = True
    _, clean_LBTD = residuals.read(model, one)
    found_BTD, found_LBTD = residuals.read(model, other, Patch(2, clean_LBTD[2], where_BT))
    first = one.first_thought
    assert torch.equal(found_BTD[:, : first - 1], own_BTD[:, : first - 1])
    assert_close(model, found_LBTD[0, :, first], clean_LBTD[0, :, first])  # the input of the first thought
    assert (found_LBTD[0, :, first + 1] - own_LBTD[0, :, first + 1]).abs().max() > 1e-3


def test_a_thought_that_is_replaced_reaches_the_next_one_and_no_earlier_column(model, batches):
    one, other = batches
    own_BTD, _ = residuals.read(model, other)
    where_BT = torch.zeros_like(one.tokens_BT, dtype=torch.bool)
    where_BT[:, one.first_thought + 1] = True
    _, clean_LBTD = residuals.read(model, one)
    found_BTD, found_LBTD = residuals.read(model, other, Patch(0, clean_LBTD[0], where_BT))
    second = one.first_thought + 1
    assert torch.equal(found_LBTD[0, :, second], clean_LBTD[0, :, second])
    assert torch.equal(found_BTD[:, :second], own_BTD[:, :second])
    assert (found_BTD[:, second:] != own_BTD[:, second:]).any(dim=-1).all()


def test_no_hook_stays_behind(model, batches):
    before = hidden_states(model, batches[0])
    where_BT = torch.ones_like(batches[0].tokens_BT, dtype=torch.bool)
    zeros = torch.zeros_like(residuals.read(model, batches[0])[1][0])
    residuals.read(model, batches[0], Patch(1, zeros, where_BT))
    assert torch.equal(hidden_states(model, batches[0]), before)


def test_shared_prefixes_are_refused(model, batches):
    rows = [sequence(np.random.default_rng(0), 9, 1, 2)] * 3
    with pytest.raises(ValueError, match="shared prefixes"):
        residuals.read(model, collate(rows, 0))


def test_a_model_whose_blocks_are_elsewhere_is_refused():
    model = OPTForCausalLM(
        OPTConfig(vocab_size=32, hidden_size=16, num_hidden_layers=1, ffn_dim=16, num_attention_heads=2)
    )
    with pytest.raises(StudyError, match=r"opt models keep their blocks neither in transformer\.h nor"):
        residuals.blocks_of(model)
