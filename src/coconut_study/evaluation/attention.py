"""What thoughts attend to: facts, told apart by how far their head is from the root.

After j thoughts of a search that follows one edge at a time, the nodes within j edges of the root are
reached, and the facts whose head is reached are those to look up next. Zhu et al. 2025 (arXiv 2505.12514,
2509.23365) prove this of a model made by hand, and call mu by how much its attention scores of facts with a
reached head exceed those of others. Here the score of a fact is the logarithm of the attention that its
tokens get together. Within one softmax, differences between logarithms of weights are those between the
scores that go into it, so mu is the mean score of facts with a reached head minus that of the others.

Dimensions: B questions, K thoughts, L layers, H heads, T columns, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from contextlib import contextmanager
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.forward import Reader
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.columns import ATTENTION, RUN
from coconut_study.evaluation.places import fact_tokens, path_edges
from coconut_study.questions.question import Question, facts_of, group_numbers
from coconut_study.sequences.builder import build, tokenize
from coconut_study.sequences.methods import FED_BACK, Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES

ATTENTION_COLUMNS = ATTENTION[len(RUN) + 1 :]  # after the model
REACHED, FRONTIER, NEXT, PATH, UNREACHED = "reached", "frontier", "next", "path", "other"
AT = ["group", "thought", "layer", "head", "facts"]


def attention(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Question],
    layout: Layout,
    text: TextSettings,
    batch_size: int,
) -> pd.DataFrame:
    """The attention of every head, from the last token before the thoughts (thought 0) and from each thought
    or pause, to the kinds of facts (see `kinds`) of graph questions.

    Returns one row per group, thought, layer (from 1), head (from 1) and kind of facts, with the columns of
    `columns.ATTENTION` after the model: the number of questions that have such facts, and over these the mean
    attention that a fact gets and the mean score. ValueError for a layout without thoughts and pauses.
    """
    if layout.kind not in (*FED_BACK, "pause"):
        raise ValueError("only thoughts and pauses attend to facts")
    model.eval()
    marks, group_of = marks_of(tokenizer), group_numbers(questions)
    tokens = tokenize(questions, TEMPLATES[text.template], tokenizer, shared=text.facts_share_position)
    parts = []
    for start in bar(range(0, len(questions), batch_size), "attention"):
        prompts = [build(one, layout, marks).prompt for one in tokens[start : start + batch_size]]
        batch = collate(prompts, marks.pad, aligned=True, share_prefixes=False)
        weights = _weights(model, batch.to(next(model.parameters()).device), layout)
        for row, prompt in enumerate(prompts):
            question, offset = questions[start + row], batch.first_thought - len(prompt.before)
            facts = [[offset + t for t in one] for one in fact_tokens(tokenizer, question, text.template)]
            given = np.stack([weights[row][..., columns].sum(axis=-1) for columns in facts], axis=-1)
            found = _of_question(given, kinds(question, layout.thoughts))
            parts.append(found.assign(group=group_of[start + row]))
    cells = pd.concat(parts).groupby(AT, sort=False)
    table = cells.agg(questions=("score", "size"), attention=("attention", "mean"), score=("score", "mean"))
    return table.reset_index()[list(ATTENTION_COLUMNS)]


def kinds(question: Question, k: int) -> list[dict[str, np.ndarray]]:
    """For 0 to k thoughts, which facts are of each kind, by where their head is.

    reached    within as many edges of the root as there are thoughts so far
    frontier   exactly as many edges away
    next       exactly as many edges away, on a shortest path to the right option: the fact to follow next
    path       on a shortest path to the right option, at any distance
    other      not within as many edges
    """
    graph = question.graph
    assert graph is not None
    away = nx.single_source_shortest_path_length(graph.digraph, graph.root)
    told = facts_of(question.question)
    node = {name: number for number, name in enumerate(graph.names)}
    distance = np.array([away.get(node[head], np.inf) for head, _ in told])
    on_path = np.array([fact in path_edges(question) for fact in told])
    return [
        {
            REACHED: distance <= thoughts,
            FRONTIER: distance == thoughts,
            NEXT: on_path & (distance == thoughts),
            PATH: on_path,
            UNREACHED: distance > thoughts,
        }
        for thoughts in range(k + 1)
    ]


def _of_question(given: np.ndarray, kinds_of: Seq[dict[str, np.ndarray]]) -> pd.DataFrame:
    """The mean attention and score of each kind of facts that a question has, from what each fact is given
    (layers, heads, thoughts, facts)."""
    tiny = np.finfo(given.dtype).tiny
    scores = np.log(np.maximum(given, tiny))
    rows = [
        (thought, layer + 1, head + 1, kind, cell[which].mean(), scores[layer, head, thought, which].mean())
        for (layer, head, thought), cell in _cells(given)
        for kind, which in kinds_of[thought].items()
        if which.any()
    ]
    return pd.DataFrame(rows, columns=["thought", "layer", "head", "facts", "attention", "score"])


def _cells(given: np.ndarray) -> Iterator[tuple[tuple[int, int, int], np.ndarray]]:
    return ((index, given[index]) for index in np.ndindex(given.shape[:3]))


@torch.no_grad()
def _weights(model: PreTrainedModel, batch: Batch, layout: Layout) -> np.ndarray:
    """Attention weights (B, L, H, K + 1, T) from the last token before the thoughts and from each thought."""
    reader = Reader(model)
    blocks = reader.think(batch)
    last = batch.first_thought + batch.n_thoughts
    fed = [reader.fed_back(block[:, -1:], batch) for block in blocks[: batch.n_thoughts]]
    embeds_BTD = torch.cat([reader.embed(batch.tokens_BT[:, : batch.first_thought]), *fed], dim=1)
    with _eager(model):
        weights: tuple[Tensor, ...] = model.base_model(
            inputs_embeds=embeds_BTD,
            attention_mask=batch.mask_BT[:, :last],
            position_ids=batch.positions_BT[:, :last],
            use_cache=False,
            output_attentions=True,
        ).attentions
    n = layout.thoughts + 1
    return torch.stack([one[:, :, -n:] for one in weights], dim=1).float().cpu().numpy()


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """A block in which a model computes its attention weights one by one, so that it can return them."""
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(usual)
