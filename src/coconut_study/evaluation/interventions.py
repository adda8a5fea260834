"""Interventions: what a run answers when its thoughts are replaced by others.

Each condition replaces some thoughts by a content: those that the model has on another question (see
`questions.donors`), the mean over the questions of other groups, noise, nothing. If the thoughts decide, the
answer follows them. Answers are forced (the probability of each option's name after the answer mark) and
free.

A thought is replaced as the input embedding that is fed back, or as the keys and values that the cache keeps
of it, in all layers. Later thoughts are computed from the replaced one, or kept as they were: their inputs if
an input is replaced, and also their keys and values if those of a thought are. Removed thoughts leave no gap:
what follows moves up. Pauses are thoughts that all have the embedding of <pause> as input. For a method that
writes its steps, the steps that it writes itself are replaced by those that it writes on another question.

Dimensions: B rows, U prompts, K thoughts, D hidden size, L layers, H heads, E head size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.progress import bar
from coconut_study.common.seeds import stream
from coconut_study.common.workspace import PieceRunner, unsaved
from coconut_study.engine import decoding
from coconut_study.engine.decoding import Option
from coconut_study.engine.edits import Replacement, Thoughts
from coconut_study.engine.forward import check_positions
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.columns import INTERVENTIONS, RUN
from coconut_study.evaluation.conditions import Condition, Content, conditions, kind_of, places
from coconut_study.evaluation.places import option_tokens
from coconut_study.evaluation.settings import Battery, Responding
from coconut_study.questions.donors import Donor, donors
from coconut_study.questions.question import Question, group_numbers
from coconut_study.sequences.builder import Sequence, build, tokenize
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import ANSWER_MARK, TEMPLATES, is_right

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = INTERVENTIONS[len(RUN) :]
PARTS = ("input", "keys", "values")


@dataclass(frozen=True, slots=True)
class Row:
    """A question in a condition: its prompt, and the tokens that are written after it in any case."""

    question: int
    condition: Condition
    prompt: Sequence
    written: list[int]


def intervene(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Question],
    text: TextSettings,
    layout: Layout,
    battery: Battery,
    seed: int,
    settings: Responding,
    run_piece: PieceRunner = unsaved,
) -> pd.DataFrame:
    """What the model answers to each question in each condition of a battery.

    Returns one row per question and condition, with the columns `COLUMNS`. A question has no rows for donors
    that its data set lacks. `seed` is that of the donors and of the noise. `run_piece` may return a batch
    that an interrupted job has saved. ValueError if the layout has nothing to replace, a question has no
    graph, or all questions are of one group; StudyError if a sequence exceeds the positions of the model.
    """
    import pandas as pd  # not where a model is asked

    model.eval()
    wanted = conditions(layout, battery)
    kind, group_of = kind_of(layout), group_numbers(questions)
    contents = {"own", *(condition.content for condition in wanted)}
    asked = [
        {donor: one for donor, one in of_one.items() if donor in contents}
        for of_one in donors(questions, range(len(questions)), seed)
    ]
    own = Prompts(model, tokenizer, asked, text, layout, settings)
    source = _Steps(own) if kind == "steps" else _Thoughts(own, group_of, seed)
    batches = own.row_batches(row for number in range(len(questions)) for row in source.rows(number, wanted))

    def answer(batch: list[Row]) -> list[dict[str, Any]]:
        found = own.answers(batch, source.edit(batch))
        return [
            {"question": row.question, "group": group_of[row.question], **row.condition._asdict()}
            | {"p right": one.p_right, "p wrong": one.p_wrong, "right": own.is_right(row, one)}
            for row, one in zip(batch, found, strict=True)
        ]

    pieces = [
        run_piece(f"batch{n}", partial(answer, batch))
        for n, batch in enumerate(bar(batches, "interventions"))
    ]
    return pd.DataFrame([row for piece in pieces for row in piece], columns=list(COLUMNS))


def replaced(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Seq[Mapping[Donor, Question]],
    others: Seq[Question],
    text: TextSettings,
    layout: Layout,
    condition: Condition,
    seed: int,
    settings: Responding,
) -> list[tuple[Row, Answered]]:
    """What the model answers to questions in one condition that the layout has.

    Each of `questions` is given with its donors, itself as "own". The content "mean" is the mean over
    `others`. `seed` is that of the noise. A question without a graph has no options: their probabilities say
    nothing. StudyError if a sequence exceeds the positions of the model.
    """
    model.eval()
    of_others: list[Mapping[Donor, Question]] = [{"own": other} for other in others]
    own = Prompts(model, tokenizer, [*questions, *of_others], text, layout, settings)
    group_of = [0] * len(questions) + [1] * len(others)
    source = _Steps(own) if kind_of(layout) == "steps" else _Thoughts(own, group_of, seed)
    rows = (row for number in range(len(questions)) for row in source.rows(number, [condition]))
    return [
        pair
        for batch in own.row_batches(rows)
        for pair in zip(batch, own.answers(batch, source.edit(batch)), strict=True)
    ]


# ------------------------------------------------------------------------------------- prompts and answers


@dataclass(frozen=True, slots=True)
class Answered:
    """The probabilities of the right and the wrong option, and the tokens of a free answer after the
    prompt."""

    p_right: float
    p_wrong: float
    ids: list[int]


class Prompts:
    """The prompts of questions and of their donors, each once, and answers to them.

    `of_questions` has the donors of each question, itself as "own".
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        of_questions: Seq[Mapping[Donor, Question]],
        text: TextSettings,
        layout: Layout,
        settings: Responding,
    ) -> None:
        self.model, self.tokenizer, self.settings = model, tokenizer, settings
        self.questions = [of_one["own"] for of_one in of_questions]
        self.layout, self.marks, self.template = layout, marks_of(tokenizer), TEMPLATES[text.template]
        if layout.kind == "pause":  # in the places of thoughts, where they can be replaced
            layout = layout.model_copy(update={"kind": "continuous"})
        asked = list(dict.fromkeys(one for of_one in of_questions for one in of_one.values()))
        index = {question: number for number, question in enumerate(asked)}
        self.donors: list[dict[Donor, int]] = [
            {donor: index[one] for donor, one in of_one.items()} for of_one in of_questions
        ]
        tokens = tokenize(asked, self.template, tokenizer, shared=text.facts_share_position)
        self.prompts = [build(one, layout, self.marks).prompt for one in tokens]
        end = Option([], [self.marks.eos])  # in place of the options of a question that has none
        self.options = [
            option_tokens(tokenizer, question, self.template) if question.graph else (end, end)
            for question in self.questions
        ]

    def row_batches(self, rows: Iterable[Row]) -> list[list[Row]]:
        """Rows in batches, in their order.

        StudyError if a row and what is written after it exceed the positions of the model.
        """
        every, size = list(rows), self.settings.batch_size
        forced = max(len(option.opening + option.name) for options in self.options for option in options)
        limit = max(self.settings.max_new_tokens, forced)
        check_positions(
            self.model,
            max(row.prompt.positions[-1] for row in every) + 1 + limit,
            f"responding.max_new_tokens: {limit} tokens after a question, its thoughts and its steps",
            "lower it, or use a model with more positions",
        )
        return [every[start : start + size] for start in range(0, len(every), size)]

    def in_batches(self) -> list[list[int]]:
        """All prompts, in batches of similar length."""
        order = sorted(range(len(self.prompts)), key=lambda number: len(self.prompts[number]))
        size = self.settings.batch_size
        return [order[start : start + size] for start in range(0, len(order), size)]

    def answers(self, rows: Seq[Row], edit: Replacement | None) -> list[Answered]:
        """Forced and free answers to rows."""
        options = [self.options[row.question] for row in rows]
        prompts = [row.prompt for row in rows]
        limit = self.settings.max_new_tokens
        p_B2, ids = decoding.answer(self.model, prompts, options, limit, self.marks, edit)
        return [
            Answered(p[0], p[1], row.written + new)
            for row, p, new in zip(rows, p_B2.tolist(), ids, strict=True)
        ]

    def is_right(self, row: Row, answered: Answered) -> bool:
        """Whether the free answer to a row is right."""
        ids = answered.ids
        text = str(self.tokenizer.decode(ids[:-1] if ids[-1:] == [self.marks.eos] else ids))
        return is_right(self.questions[row.question], text, self.template)


# --------------------------------------------------------------------------------------------- thoughts


class _Thoughts:
    """Rows of a method with thoughts or pauses, and the edit that puts them in their conditions."""

    def __init__(self, own: Prompts, group_of: Seq[int], seed: int) -> None:
        self.own, self.group_of, self.seed = own, group_of, seed
        self.k, self.is_pause = own.layout.thoughts, own.layout.kind == "pause"
        self.places = places(self.k)
        pause = torch.tensor(own.marks.pause, device=own.model.device)
        self.pause_D = own.model.get_input_embeddings()(pause).detach()
        self.thoughts = self._computed()
        self.mean = _means(_chosen(self.thoughts, [of["own"] for of in own.donors]), group_of)

    def _computed(self) -> Thoughts:
        """The thoughts of all prompts (U, K, ...)."""
        batches = self.own.in_batches()
        parts = []
        for batch in bar(batches, "thoughts"):
            prompts = [self.own.prompts[number] for number in batch]
            edit = self._pauses(len(batch)) if self.is_pause else None
            parts.append(decoding.thoughts(self.own.model, prompts, self.own.marks, edit))
        order = torch.tensor([number for batch in batches for number in batch]).argsort()
        joined = (torch.cat([getattr(part, name) for part in parts]) for name in _NAMES)
        return _chosen(Thoughts(*joined), order)

    def _pauses(self, n_rows: int) -> Replacement:
        """The edit that feeds <pause> in the place of every thought."""
        shape = n_rows, self.k
        yes = torch.ones(shape, dtype=torch.bool, device=self.pause_D.device)
        inputs = self.pause_D.expand(*shape, -1)
        none = inputs.new_empty(0)  # replaces nothing
        return Replacement(Thoughts(inputs, none, none), yes, ~yes, ~yes)

    def rows(self, number: int, wanted: Seq[Condition]) -> list[Row]:
        """The rows of a question: one for every condition whose donor there is."""
        donor_of = self.own.donors[number]
        own = self.own.prompts[donor_of["own"]]
        rows = []
        for condition in wanted:
            if condition.content in ("mirror", "twin") and condition.content not in donor_of:
                continue
            prompt = own
            if condition.thoughts == "root":
                prompt = self.own.prompts[donor_of["mirror"]]
            elif condition.content == "removed":
                prompt = own.with_thoughts(self.k - len(self.places[condition.thoughts]))
            rows.append(Row(number, condition, prompt, []))
        return rows

    def edit(self, rows: Seq[Row]) -> Replacement:
        """What replaces the thoughts of the rows."""
        device = self.pause_D.device
        given = _chosen(self.thoughts, [self.own.donors[row.question]["own"] for row in rows])
        where = {part: torch.zeros(len(rows), self.k, dtype=torch.bool) for part in PARTS}
        for number, row in enumerate(rows):
            self._put(number, row, given, where)
        if self.is_pause:
            given = replace(given, input_BKD=self.pause_D.expand_as(given.input_BKD))
            where["input"][:] = True
        return Replacement(given, *(where[part].to(device) for part in PARTS))

    def _put(self, number: int, row: Row, given: Thoughts, where: Mapping[str, Tensor]) -> None:
        """Write what row `number` is given, and where; `given` has its own thoughts so far."""
        thoughts, content, part, later = row.condition
        replaced = list(self.places.get(thoughts, ()))
        first = replaced[0] if replaced else 0
        if later == "kept":  # all from the first replaced one on; those before are computed as they were
            where["input"][number, first:] = True
            if part != "input" or self.is_pause:
                where["keys"][number, first:] = where["values"][number, first:] = True
        if thoughts == "root":
            return
        if content == "removed":
            rest = [j for j in range(self.k) if j not in replaced]
            for tensor in (given.input_BKD, given.keys_BKLHE, given.values_BKLHE):
                tensor[number, : len(rest)] = tensor[number, rest].clone()
            where["keys"][number], where["values"][number] = False, False
            return
        new = self._content(row.question, content)
        parts = ("keys", "values") if part == "both" else (part,)
        if part != "input":
            where["input"][number, replaced] = self.is_pause
            where["keys"][number, replaced] = where["values"][number, replaced] = False
        for name in parts:
            where[name][number, replaced] = True
            tensor = getattr(given, _NAMES[PARTS.index(name)])
            tensor[number, replaced] = getattr(new, _NAMES[PARTS.index(name)])[0, replaced]

    def _content(self, number: int, content: Content) -> Thoughts:
        """The thoughts (1, K, ...) that take the place of those of a question."""
        donor_of = self.own.donors[number]
        if content in donor_of:
            return _chosen(self.thoughts, [donor_of[content]])
        if content == "mean":
            return _chosen(self.mean, [number])
        own = _chosen(self.thoughts, [donor_of["own"]])
        if content == "noise":
            return _noise(own, stream("noise", self.seed, number))
        if content == "pause":
            return replace(own, input_BKD=self.pause_D.expand_as(own.input_BKD))
        assert content == "zero"
        return Thoughts(*(torch.zeros_like(getattr(own, name)) for name in _NAMES))


_NAMES = tuple(field.name for field in fields(Thoughts))


def _chosen(thoughts: Thoughts, index: Any) -> Thoughts:
    """Copies of some rows."""
    rows = torch.as_tensor(index, device=thoughts.input_BKD.device)
    return Thoughts(*(getattr(thoughts, name).index_select(0, rows) for name in _NAMES))


def _means(thoughts: Thoughts, group_of: Seq[int]) -> Thoughts:
    """For each question the mean over the questions of other groups."""
    group_B = torch.as_tensor(group_of, device=thoughts.input_BKD.device)
    n_others_B = len(group_B) - torch.bincount(group_B)[group_B]

    def mean(x: Tensor) -> Tensor:
        exact = x.double()
        sums = exact.new_zeros(int(group_B.max()) + 1, *x.shape[1:]).index_add(0, group_B, exact)
        others = exact.sum(0) - sums[group_B]
        return (others / n_others_B.view(-1, *[1] * (x.dim() - 1))).to(x.dtype)

    return Thoughts(*(mean(getattr(thoughts, name)) for name in _NAMES))


def _noise(thoughts: Thoughts, rng: np.random.Generator) -> Thoughts:
    """Normal noise with the norm of each thought: of its input, and of its keys and values in each layer."""

    def noise(x: Tensor, n_kept: int) -> Tensor:
        drawn = torch.from_numpy(rng.standard_normal(tuple(x.shape))).to(x)
        dims = tuple(range(n_kept, x.dim()))
        size, wanted = (torch.linalg.vector_norm(one, dim=dims, keepdim=True) for one in (drawn, x))
        return drawn * (wanted / size)

    return Thoughts(
        noise(thoughts.input_BKD, 2), noise(thoughts.keys_BKLHE, 3), noise(thoughts.values_BKLHE, 3)
    )


# ------------------------------------------------------------------------------------------ written steps


class _Steps:
    """Rows of a method that writes its steps: the prompt is followed by the steps of a donor."""

    def __init__(self, own: Prompts) -> None:
        self.own = own
        answer = own.template.text(own.questions[0]).answer
        before_mark = answer[: answer.index(ANSWER_MARK) + len(ANSWER_MARK)]
        self.mark = own.tokenizer(before_mark, add_special_tokens=False)["input_ids"]
        self.steps = self._written()

    def _written(self) -> list[list[int]]:
        """What the model writes before its answer mark, for every prompt."""
        own = self.own
        written: dict[int, list[int]] = {}
        for batch in bar(own.in_batches(), "steps"):
            prompts = [own.prompts[number] for number in batch]
            ids = decoding.generate(own.model, prompts, [0], own.settings.max_new_tokens, own.marks)
            written |= {number: self._before_mark(row[0]) for number, row in zip(batch, ids, strict=True)}
        return [written[number] for number in range(len(own.prompts))]

    def _before_mark(self, ids: list[int]) -> list[int]:
        n = len(self.mark)
        ends = [i for i in range(len(ids)) if ids[i : i + n] == self.mark]
        return ids[: ends[0]] if ends else [i for i in ids if i != self.own.marks.eos]

    def rows(self, number: int, wanted: Seq[Condition]) -> list[Row]:
        """The rows of a question: one for every condition whose donor there is."""
        donor_of = self.own.donors[number]
        prompt = self.own.prompts[donor_of["own"]]
        rows = []
        for condition in wanted:
            if condition.content == "removed":
                rows.append(Row(number, condition, prompt, []))
            elif condition.content in donor_of:
                steps = self.steps[donor_of[condition.content]]
                rows.append(Row(number, condition, _followed(prompt, steps), steps))
        return rows

    def edit(self, rows: Seq[Row]) -> None:
        """No thought is edited."""


def _followed(prompt: Sequence, tokens: list[int]) -> Sequence:
    """A prompt without thoughts, followed by tokens."""
    before = prompt.before + prompt.after + tokens
    first = prompt.positions[-1] + 1
    return replace(
        prompt, before=before, after=[], positions=prompt.positions + list(range(first, first + len(tokens)))
    )
