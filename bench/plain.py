"""The published algorithm, written plainly: the baseline of the benchmark and a reference for tests.

It is slow on purpose, as the published code is. Every thought is inserted by rebuilding the input embeddings
of the whole batch position by position, whose gradient takes time quadratic in the batch. Every pass computes
the logits of all its positions. Questions are decoded one at a time, and every new token recomputes the whole
sequence.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import DynamicCache, PreTrainedModel

from coconut_study.engine.batches import Batch, collate
from coconut_study.sequences.builder import Sequence

IGNORED = -100


def loss_sum(model: PreTrainedModel, batch: Batch) -> Tensor:
    """Cross-entropy summed over the predicted tokens, like `engine.forward.loss_sum`."""
    logits_BTV, _ = passes(model, batch)
    targets_BT = torch.full_like(batch.tokens_BT, IGNORED)
    targets_BT.view(-1)[batch.predictor_N] = batch.target_N
    return cross_entropy(
        logits_BTV.flatten(0, 1), targets_BT.flatten(), ignore_index=IGNORED, reduction="sum"
    )


def passes(model: PreTrainedModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Logits (B, T, V) and input embeddings (B, T, D) with thoughts filled in, by n_thoughts + 1 passes."""
    embeds_BTD = model.get_input_embeddings()(batch.tokens_BT)
    cache = DynamicCache(config=model.config)
    logits, done = [], 0
    for thought in range(batch.n_thoughts + 1):
        last = thought == batch.n_thoughts
        stop = embeds_BTD.shape[1] if last else batch.first_thought + thought
        output = model(
            inputs_embeds=embeds_BTD[:, done:stop],
            attention_mask=batch.mask_BT[:, :stop],
            position_ids=batch.positions_BT[:, done:stop],
            past_key_values=cache,
            use_cache=True,
            output_hidden_states=True,
        )
        logits.append(output.logits)
        if not last:
            embeds_BTD = _with_thought(embeds_BTD, stop, output.hidden_states[-1][:, -1])
        done = stop
    return torch.cat(logits, dim=1), embeds_BTD


def _with_thought(embeds_BTD: Tensor, column: int, thoughts_BD: Tensor) -> Tensor:
    """The embeddings with a thought in one column of every row, rebuilt from single positions."""
    n_rows, width = embeds_BTD.shape[:2]
    rows = [[embeds_BTD[row, position] for position in range(width)] for row in range(n_rows)]
    for row, thought in zip(rows, thoughts_BD.unbind(0), strict=True):
        row[column] = thought
    return torch.stack([torch.stack(row) for row in rows])


@torch.no_grad()
def respond(model: PreTrainedModel, prompts: Seq[Sequence], max_new_tokens: int, eos: int) -> list[list[int]]:
    """Greedy responses, one question at a time; every token recomputes the whole sequence."""
    return [_respond(model, prompt, max_new_tokens, eos) for prompt in prompts]


def _respond(model: PreTrainedModel, prompt: Sequence, max_new_tokens: int, eos: int) -> list[int]:
    device = next(model.parameters()).device
    batch = collate([prompt], pad=0).to(device)
    logits, embeds = passes(model, batch)
    written = [int(logits[0, -1].argmax())]
    while written[-1] != eos and len(written) < max_new_tokens:
        token = torch.tensor([[written[-1]]], device=device)
        embeds = torch.cat([embeds, model.get_input_embeddings()(token)], dim=1)
        written.append(int(model(inputs_embeds=embeds, use_cache=False).logits[0, -1].argmax()))
    return written
