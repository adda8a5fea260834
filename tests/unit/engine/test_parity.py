"""The engine agrees with the published implementation, in float64, to 1e-9."""

import json

import pytest
import torch
from transformers import GPT2LMHeadModel

from coconut_study.engine import decoding, forward
from coconut_study.engine.batches import collate
from coconut_study.sequences.builder import Marks, Sequence

TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def reference(shared):
    return json.loads((shared("parity") / "reference.json").read_text())


@pytest.fixture
def gpt2(shared):
    return GPT2LMHeadModel.from_pretrained(shared("parity"), dtype=torch.float64).eval()


@pytest.fixture
def marks(reference):
    ids = reference["tokens"]
    return Marks(ids["bot"], ids["eot"], ids["latent"], -1, ids["eos"], pad=0)


def sequence(single, marks):
    before = [*single["question"], marks.bot]
    after = [marks.eot, *single["suffix"]]
    n = len(before) + single["n_latent"] + len(after)
    return Sequence(before, single["n_latent"], after, list(range(n)), len(single["suffix"]))


def close(value, expected):
    torch.testing.assert_close(torch.as_tensor(value), torch.as_tensor(expected), rtol=0, atol=TOLERANCE)


def check_loss_and_gradients(gpt2, sequences, marks, expected):
    batch = collate(sequences, marks.pad)
    loss = forward.loss_sum(gpt2, batch) / len(batch.target_N)
    loss.backward()
    close(loss, torch.tensor(expected["loss"], dtype=torch.float64))
    norms = {name: p.grad.norm().item() for name, p in gpt2.named_parameters() if p.grad is not None}
    for name, norm in expected["grad_norms"].items():
        close(norms[name], norm)


@pytest.mark.parametrize("number", range(5))
def test_single_question(gpt2, reference, marks, number):
    single = reference["singles"][number]
    asked = sequence(single, marks)
    check_loss_and_gradients(gpt2, [asked], marks, single)
    with torch.no_grad():
        first = forward.predictions(gpt2, collate([asked], marks.pad))[0]
    close(first, torch.tensor(single["logits_after_eot"], dtype=torch.float64))


@pytest.mark.parametrize("number", range(4))
def test_batch_of_questions_with_different_lengths_and_thoughts(gpt2, reference, marks, number):
    batch = reference["batches"][number]
    sequences = [sequence(reference["singles"][i], marks) for i in batch["examples"]]
    check_loss_and_gradients(gpt2, sequences, marks, batch)


def published(ids, eos):
    """What the published decoder writes: it overlooks <eos> as first token and leaves out a later one."""
    return ids[:1] + ids[1:][: ids[1:].index(eos) if eos in ids[1:] else None]


def test_generated_tokens_alone_and_together(gpt2, reference, marks):
    singles = reference["singles"]
    prompts = [sequence(single, marks).prompt for single in singles]
    ks = sorted({single["n_latent"] for single in singles})
    together = decoding.generate(gpt2, prompts, ks, 12, marks)
    for single, prompt, row in zip(singles, prompts, together, strict=True):
        k = single["n_latent"]
        (alone,) = decoding.generate(gpt2, [prompt], [k], 12, marks)
        assert alone[0] == row[ks.index(k)]
        if single["generated"][0] != marks.eos:
            assert published(alone[0], marks.eos) == published(single["generated"], marks.eos)
