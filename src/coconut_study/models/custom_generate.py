"""Greedy responses of the model beside this file, after the thoughts that it was trained with.

The library transformers loads it, and asks you to trust it:

    model = AutoModelForCausalLM.from_pretrained(FOLDER, trust_remote_code=True)
    inputs = tokenizer(QUESTION, return_tensors="pt", add_special_tokens=False)
    tokenizer.decode(model.generate(**inputs)[0])

or for a model that is loaded already, also one with adapters:
`model.generate(**inputs, custom_generate=FOLDER, trust_remote_code=True)`.

A question is written as README.md says. A batch is padded on the left. Responses are greedy, and there are no
other settings than those of `generate`. Every column is computed by one forward pass of the model with an
attention mask and positions; thoughts are computed as in arXiv 2412.06769.

Dimensions: B rows, T columns, N new columns, K thoughts, D hidden size, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

SETTINGS: dict[str, Any] = {}
IGNORED = ("custom_generate", "trust_remote_code", "token_type_ids")  # of what callers may give


@torch.no_grad()
def generate(
    inputs: Tensor | None = None,
    *,
    model: PreTrainedModel,
    input_ids: Tensor | None = None,
    attention_mask: Tensor | None = None,
    max_new_tokens: int | None = None,
    thoughts: int | None = None,
    **others: Any,
) -> Tensor:
    """Token ids (B, T + N) of prompts (B, T) and of the responses to them.

    Thoughts stand between the two and are no tokens. A response ends with the end-of-sequence token, or
    without it after `max_new_tokens`; what follows its end is padding. `thoughts` and `max_new_tokens` are
    those of the training if None. ValueError for padding on the right, for more thoughts than in training,
    and for anything else that `generate` of transformers can do.
    """
    ids_BT = input_ids if inputs is None else inputs
    k = SETTINGS["thoughts"] if thoughts is None else thoughts
    limit = SETTINGS["max_new_tokens"] if max_new_tokens is None else max_new_tokens
    if refused := [
        name for name, one in others.items() if not (name in IGNORED or one is None or one is False)
    ]:
        raise ValueError(f"generate: this model answers greedily, without {', '.join(refused)}")
    if ids_BT is None or not ids_BT.shape[1]:
        raise ValueError("generate: give input_ids")
    if not 0 <= k <= SETTINGS["thoughts"]:
        raise ValueError(f"generate: trained with {SETTINGS['thoughts']} thoughts, cannot answer after {k}")
    mask_BT = torch.ones_like(ids_BT) if attention_mask is None else attention_mask
    if not mask_BT[:, -1].all():
        raise ValueError("generate: pad on the left; set tokenizer.padding_side to 'left'")
    kind = SETTINGS["kind"]
    opening = [SETTINGS["bot"]] * SETTINGS["markers"] + [SETTINGS["pause"]] * (k if kind == "pause" else 0)
    closing = [SETTINGS["eot"]] * SETTINGS["markers"]
    reader = Reader(model, mask_BT, positions(ids_BT, mask_BT), n_loops=k if kind == "loops" else 0)
    states_BND = reader.tokens(torch.cat([ids_BT, reader.alike(opening)], dim=1))
    if kind in ("continuous", "soft") and k:
        states_BND = think(reader, states_BND[:, -1:], k)
    if closing:
        states_BND = reader.tokens(reader.alike(closing))
    written: list[Tensor] = []
    ended_B = torch.zeros(len(ids_BT), dtype=torch.bool, device=ids_BT.device)
    while len(written) < limit and not ended_B.all():
        if written:
            states_BND = reader.tokens(written[-1][:, None])
        token_B = reader.head(states_BND[:, -1]).argmax(dim=-1)
        written.append(torch.where(ended_B, SETTINGS["pad"], token_B))
        ended_B |= token_B == SETTINGS["eos"]
    return torch.cat([ids_BT, *(token_B[:, None] for token_B in written)], dim=1)


def positions(ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Positions (B, T) of prompts; where facts share positions, both tokens of a fact have its number."""
    column_BT = (mask_BT.cumsum(dim=1) - 1).clamp(min=0)
    if SETTINGS["facts_end"] is None:
        return column_BT
    n_B1 = ((ids_BT != SETTINGS["facts_end"]).cumprod(dim=1) * mask_BT).sum(dim=1, keepdim=True) // 2
    return torch.where(column_BT < 2 * n_B1, column_BT // 2, column_BT - n_B1)


def think(reader: Reader, state_B1D: Tensor, k: int) -> Tensor:
    """The state of the last of k thoughts (B, 1, D), each computed from the state before it."""
    if SETTINGS["iterations"] is None:
        for _ in range(k):
            state_B1D = reader.read(fed_back(reader, state_B1D))
        return state_B1D
    states_BKD = state_B1D.expand(-1, k, -1)
    for iteration in range(SETTINGS["iterations"]):  # all at once, from what the iteration before gave
        if iteration:
            reader.forget(k)
        states_BKD = reader.read(fed_back(reader, torch.cat([state_B1D, states_BKD[:, :-1]], dim=1)))
    return states_BKD[:, -1:]


def fed_back(reader: Reader, states_BKD: Tensor) -> Tensor:
    """The inputs (B, K, D) that states become: themselves, or the expected embedding of the next token."""
    if SETTINGS["kind"] != "soft":
        return states_BKD
    shares_BKV = reader.head(states_BKD).softmax(dim=-1)
    return shares_BKV @ reader.embed(torch.arange(shares_BKV.shape[-1], device=states_BKD.device))


class Reader:
    """Reads columns from left to right, in one pass of the model and one more for each loop."""

    def __init__(self, model: PreTrainedModel, mask_BT: Tensor, positions_BT: Tensor, n_loops: int) -> None:
        self.body, self.embed = model.base_model, model.get_input_embeddings()
        self.head: Any = model.get_output_embeddings()
        self.caches = [DynamicCache(config=model.config) for _ in range(1 + n_loops)]
        self.mask_BT, self.positions_BT, self.n_read = mask_BT, positions_BT, 0

    def alike(self, ids: list[int]) -> Tensor:
        """The same tokens (B, N) in every row."""
        return self.mask_BT.new_tensor(ids).expand(len(self.mask_BT), -1)

    def tokens(self, ids_BN: Tensor) -> Tensor:
        """The states (B, N, D) of tokens."""
        return self.read(self.embed(ids_BN))

    def read(self, embeds_BND: Tensor) -> Tensor:
        """The states (B, N, D) of the next N columns."""
        stop = self.n_read + embeds_BND.shape[1]
        more = max(stop - self.mask_BT.shape[1], 0)
        self.mask_BT = torch.nn.functional.pad(self.mask_BT, (0, more), value=1)
        following_BN = self.positions_BT[:, -1:] + torch.arange(1, more + 1, device=embeds_BND.device)
        self.positions_BT = torch.cat([self.positions_BT, following_BN], dim=1)
        states_BND = torch.zeros_like(embeds_BND)
        for cache in self.caches:
            states_BND = self.body(
                inputs_embeds=embeds_BND + states_BND,
                attention_mask=self.mask_BT[:, :stop],
                position_ids=self.positions_BT[:, self.n_read : stop],
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state
        self.n_read = stop
        return states_BND

    def forget(self, n: int) -> None:
        """Go back by n columns, which are computed anew."""
        for cache in self.caches:
            cache.crop(-n)
        self.n_read -= n
