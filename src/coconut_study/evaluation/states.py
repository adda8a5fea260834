"""The states that thoughts are made of: what a model knows after each number of thoughts, or of pauses.

Dimensions: N questions, K thoughts, D hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.engine.batches import collate
from coconut_study.engine.decoding import thought_states
from coconut_study.engine.forward import hidden_states
from coconut_study.engine.tokenizer import marks_of
from coconut_study.sequences.builder import Marks, Sequence, Tokens, build
from coconut_study.sequences.methods import FED_BACK, Layout


@torch.no_grad()
def states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    tokens: Seq[Tokens],
    layout: Layout,
    batch_size: int,
) -> Tensor:
    """Last hidden states (N, K + 1, D) after 0 to K thoughts or pauses, in float32 on the CPU.

    The first is that of the last token before the thoughts, the others those of the thoughts. ValueError for
    a layout without thoughts and pauses.
    """
    if layout.kind not in (*FED_BACK, "pause"):
        raise ValueError("only thoughts and pauses have states")
    model.eval()
    marks = marks_of(tokenizer)
    found = []
    for start in bar(range(0, len(tokens), batch_size), "states"):
        prompts = [build(one, layout, marks).prompt for one in tokens[start : start + batch_size]]
        if layout.kind == "pause":
            found.append(_at_pauses(model, prompts, layout.thoughts, marks))
        else:
            found.append(thought_states(model, prompts, layout.thoughts, marks))
    return torch.cat(found).float().cpu()


def _at_pauses(model: PreTrainedModel, prompts: Seq[Sequence], k: int, marks: Marks) -> Tensor:
    """The states of the last token before the pauses and of the k pauses, which end `before`."""
    batch = collate(prompts, marks.pad, aligned=True, share_prefixes=False)
    hidden_BTD = hidden_states(model, batch.to(next(model.parameters()).device))
    stop = batch.first_thought
    return hidden_BTD[:, stop - 1 - k : stop]
