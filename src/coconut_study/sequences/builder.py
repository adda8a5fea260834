"""One builder for the token sequences of every method, stage and prompt (pure).

Stage 2 of a question with three steps, for Coconut with c = 1:

    tokens  <question> <bot> <thought> <thought> <eot> <step 3> ### <answer> <eos>
    loss    none ....................................  on each of these .........

The prompt is the part without loss, so that training and asking cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coconut_study.questions.question import Question
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import Template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Marks:
    """Token ids of the marks, of the end of a sequence, and of padding (any id: padding is never seen)."""

    bot: int
    eot: int
    thought: int
    pause: int
    eos: int
    pad: int

    @property
    def added(self) -> tuple[int, int, int, int]:
        """The four that are added to a tokenizer."""
        return self.bot, self.eot, self.thought, self.pause


@dataclass(frozen=True, slots=True)
class Tokens:
    """A question in token ids: the question with its position ids, each step, and the answer with <eos>."""

    question: list[int]
    positions: list[int]
    steps: list[list[int]]
    answer: list[int]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Token ids with position ids, cut where the continuous thoughts stand.

    Between `before` and `after` there are `thoughts` slots that the model fills with its own hidden
    states. The last `n_loss` tokens of `after` are predicted.
    """

    before: list[int]
    thoughts: int
    after: list[int]
    positions: list[int]
    n_loss: int
    iterations: int | None = None

    def __len__(self) -> int:
        return len(self.before) + self.thoughts + len(self.after)

    @property
    def prompt(self) -> Sequence:
        """The part without loss: what a response continues."""
        after = self.after[: len(self.after) - self.n_loss]
        positions = self.positions[: len(self) - self.n_loss]
        return replace(self, after=after, positions=positions, n_loss=0)

    def with_thoughts(self, k: int) -> Sequence:
        """The same with k thoughts."""
        start = len(self.before)
        first = self.positions[start - 1] + 1
        positions = self.positions[:start] + list(range(first, first + k + len(self.after)))
        return replace(self, thoughts=k, positions=positions)


def tokenize(
    questions: Seq[Question], template: Template, tokenizer: PreTrainedTokenizerBase, *, shared: bool
) -> list[Tokens]:
    """Questions in token ids; question, steps and answer are tokenized apart, as in the published code."""
    texts = [template.text(question) for question in questions]
    parts = list(dict.fromkeys(part for text in texts for part in (text.question, *text.steps, text.answer)))
    ids = dict(zip(parts, tokenizer(parts, add_special_tokens=False)["input_ids"], strict=True))
    eos = tokenizer.eos_token_id
    tokens = []
    for question, text in zip(questions, texts, strict=True):
        asked = ids[text.question]
        steps = [ids[step] for step in text.steps]
        n_facts = len(question.graph.edges) if question.graph else 0
        positions = template.positions(n_facts, len(asked), shared)
        tokens.append(Tokens(asked, positions, steps, [*ids[text.answer], eos]))
    return tokens


def build(tokens: Tokens, layout: Layout, marks: Marks) -> Sequence:
    """The sequence of a question in `layout`; a chain shorter than what is left out has no steps left."""
    shown = [] if layout.hidden is None else tokens.steps[layout.hidden :]
    told = [token for step in shown for token in step][layout.removed :] + tokens.answer
    opening, closing = ([marks.bot], [marks.eot]) if layout.markers else ([], [])
    pauses = [marks.pause] * layout.thoughts if layout.kind == "pause" else []
    thoughts = layout.thoughts if layout.kind == "continuous" else 0
    before = tokens.question + opening + pauses
    after = closing + told
    first = tokens.positions[-1] + 1
    following = len(before) + thoughts + len(after) - len(tokens.question)
    positions = tokens.positions + list(range(first, first + following))
    return Sequence(before, thoughts, after, positions, len(told), layout.iterations)
