"""A preallocated cache has the same content as one that copies, and gives the same responses."""

import pytest
import torch
from transformers import DynamicCache

from bench import work
from bench.work import Size
from coconut_study.engine import forward
from coconut_study.engine.decoding import generate
from coconut_study.engine.gpt2 import faster
from coconut_study.engine.kv_cache import PreallocatedCache, PreallocatedLayer

SIZE = Size("tiny", batch=3, question=12, thoughts=2, suffix=5)


@pytest.fixture(scope="module")
def network():
    return work.new_model(SIZE, torch.device("cpu"), torch.float64).eval()


def columns(n: int) -> torch.Tensor:
    return torch.randn(2, 3, n, 4, generator=torch.Generator().manual_seed(n), dtype=torch.float64)


def test_appending_and_dropping_columns_and_selecting_rows_give_the_same_as_copying(network):
    preallocated, copied = PreallocatedCache(network.config), DynamicCache(config=network.config)
    with torch.no_grad():
        for n in (5, 1, 1, 9, 1):
            for cache in (preallocated, copied):
                found = cache.update(columns(n), -columns(n), 0)
                cache.update(columns(n), -columns(n), 1)
            assert torch.equal(preallocated.layers[0].keys, copied.layers[0].keys)
            assert torch.equal(preallocated.layers[0].values, found[1])
        for cache in (preallocated, copied):
            cache.crop(-3)
            cache.update(columns(2), columns(2), 0)
            cache.batch_select_indices(torch.tensor([1, 0, 1]))
            cache.update(columns(1)[[1, 0, 1]], columns(1)[[0, 0, 1]], 0)
            cache.batch_select_indices(torch.tensor([2]))
            cache.update(columns(1)[:1], columns(1)[:1], 0)
    assert preallocated.get_seq_length() == copied.get_seq_length() == 18
    for one, other in zip(preallocated.layers, copied.layers, strict=True):
        assert torch.equal(one.keys, other.keys)
        assert torch.equal(one.values, other.values)


def test_a_column_is_written_in_place_while_the_buffer_has_space(network):
    layer = PreallocatedLayer()
    with torch.no_grad():
        layer.update(columns(8), columns(8))
        buffer = layer.keys.untyped_storage().data_ptr()
        layer.update(columns(1), columns(1))
        assert layer.keys.untyped_storage().data_ptr() == buffer
        kept = layer.keys.clone()
        layer.update(columns(9), columns(9))
    assert layer.keys.untyped_storage().data_ptr() != buffer
    assert torch.equal(layer.keys[:, :, :9], kept)


def test_with_gradients_nothing_is_overwritten(network):
    layer = PreallocatedLayer()
    first = columns(4).requires_grad_()
    layer.update(first, first)
    before = layer.keys
    layer.update(columns(1), columns(1))
    assert before.shape[2] == 4
    layer.keys.sum().backward()
    assert torch.equal(first.grad, torch.ones_like(first))


def test_a_buffer_is_not_written_after_columns_with_gradients(network):
    layer = PreallocatedLayer()
    for n, learns in ((4, False), (1, True), (1, False)):
        with torch.set_grad_enabled(learns):
            layer.update(columns(n), columns(n))
    assert torch.equal(layer.keys, torch.cat([columns(4), columns(1), columns(1)], dim=2))


def test_responses_are_the_same_as_with_a_copied_cache(network, monkeypatch):
    prompts = [row.prompt for row in work.sequences(SIZE)]
    ours = generate(network, prompts, [0, 1, 2], 6, work.marks())
    monkeypatch.setattr(forward, "PreallocatedCache", lambda config: DynamicCache(config=config))
    assert generate(network, prompts, [0, 1, 2], 6, work.marks()) == ours


def test_the_fused_activation_is_the_same_function():
    plain = work.new_model(SIZE, torch.device("cpu"), torch.float64).eval()
    ids = torch.arange(4, 14)[None]
    before = plain(ids).logits
    changed = faster(plain)
    assert "NewGELU" not in repr(changed)
    torch.testing.assert_close(changed(ids).logits, before, rtol=0, atol=1e-12)
