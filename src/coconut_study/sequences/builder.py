"""One builder for the token sequences of every method, stage and prompt (pure functions).

Stage 2 of a question with three steps, for Coconut with c = 1:

    tokens  <question> <bot> <thought> <thought> <eot> <step 3> ### <answer> <eos>
    loss    none ....................................  on each of these .........

The prompt is the part without loss, so training and evaluation use the same sequences.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coconut_study.common.errors import StudyError, explained
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import Question, Wording
from coconut_study.sequences.methods import FED_BACK, Layout
from coconut_study.sequences.templates import ANSWER_MARK, TEMPLATES, Template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Marks:
    """Token ids of the marks, of the end of a sequence, and of padding (any id: padding is masked)."""

    bot: int
    eot: int
    thought: int
    pause: int
    eos: int
    pad: int

    @property
    def added(self) -> tuple[int, int, int, int]:
        """The four marks that are added to a tokenizer."""
        return self.bot, self.eot, self.thought, self.pause


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids of a question, with their position ids, of each step, and of the answer with <eos>."""

    question: list[int]
    positions: list[int]
    steps: list[list[int]]
    answer: list[int]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Token ids before and after the continuous thoughts, and position ids of all.

    Between `before` and `after` there are `thoughts` slots, which the model fills with its own hidden states.
    The last `n_loss` tokens of `after` have loss. `iterations` is that of the method. `loops` is the number
    of passes over the whole sequence after the first. `supervised` has, for each of the first thoughts, the
    tokens that the state which becomes this thought has to predict. `soft` thoughts are expected embeddings
    in place of hidden states.
    """

    before: list[int]
    thoughts: int
    after: list[int]
    positions: list[int]
    n_loss: int
    iterations: int | None = None
    loops: int = 0
    supervised: tuple[tuple[int, ...], ...] = ()
    soft: bool = False

    def __len__(self) -> int:
        return len(self.before) + self.thoughts + len(self.after)

    @property
    def prompt(self) -> Sequence:
        """The part without loss, which a response continues."""
        after = self.after[: len(self.after) - self.n_loss]
        positions = self.positions[: len(self) - self.n_loss]
        return replace(self, after=after, positions=positions, n_loss=0)

    def with_thoughts(self, k: int) -> Sequence:
        """The same sequence with k thoughts; later tokens move to the positions after them."""
        start = len(self.before)
        first = self.positions[start - 1] + 1
        positions = self.positions[:start] + list(range(first, first + k + len(self.after)))
        return replace(self, thoughts=k, positions=positions)


def tokenize(
    questions: Seq[Question], template: Template, tokenizer: PreTrainedTokenizerBase, *, shared: bool
) -> list[Tokens]:
    """Token ids of questions; question, steps and answer are tokenized separately, as in the published code.

    `shared` gives both tokens of a fact one position id.
    """
    texts = [template.text(question) for question in questions]
    parts = list(dict.fromkeys(part for text in texts for part in (text.question, *text.steps, text.answer)))
    with explained(f"{tokenizer.name_or_path}: the tokenizer fails on the questions"):
        ids = dict(zip(parts, tokenizer(parts, add_special_tokens=False)["input_ids"], strict=True))
    eos = tokenizer.eos_token_id
    tokens = []
    for question, text in zip(questions, texts, strict=True):
        question_ids = ids[text.question]
        if not question_ids:
            raise StudyError(f"{tokenizer.name_or_path}: the tokenizer finds no token in {text.question!r}")
        steps = [ids[step] for step in text.steps]
        n_facts = len(question.graph.edges) if question.graph else 0
        positions = template.positions(n_facts, len(question_ids), shared)
        tokens.append(Tokens(question_ids, positions, steps, [*ids[text.answer], eos]))
    return tokens


def symbol_tokens(
    graph: Graph, wording: Wording, ids: Mapping[str, int], eos: int, *, shared: bool
) -> Tokens:
    """What `tokenize` returns for a question in `symbols` if every word is one token, without writing text.

    `ids` has the token of every word.
    """
    names = [ids[name] for name in graph.names]
    facts = [names[node] for edge in wording.order for node in graph.edges[edge]]
    one, other = wording.options
    question = [*facts, ids["?"], names[one], names[other], ids["|"], names[graph.root]]
    positions = TEMPLATES["symbols"].positions(len(graph.edges), len(question), shared)
    steps = [[names[node]] for node in wording.path[1:]]
    return Tokens(question, positions, steps, [ids[ANSWER_MARK], names[graph.target], eos])


def ending_in(tokens: Tokens, hidden: int, step: list[int], eos: int) -> Tokens:
    """A question of which only one step is left after `hidden` steps: `step`, and <eos> in place of all that
    would follow it."""
    return replace(tokens, steps=[*tokens.steps[:hidden], step], answer=[eos])


def build(tokens: Tokens, layout: Layout, marks: Marks) -> Sequence:
    """The sequence of a question in `layout` (paper section 3); short chains may have no steps left."""
    steps = [] if layout.hidden is None else tokens.steps[layout.hidden :]
    with_loss = [token for step in steps for token in step][layout.removed :] + tokens.answer
    opening, closing = ([marks.bot], [marks.eot]) if layout.markers else ([], [])
    pauses = [marks.pause] * layout.thoughts if layout.kind == "pause" else []
    thoughts = layout.thoughts if layout.kind in FED_BACK else 0
    before = tokens.question + opening + pauses
    after = closing + with_loss
    first = tokens.positions[-1] + 1
    following = len(before) + thoughts + len(after) - len(tokens.question)
    positions = tokens.positions + list(range(first, first + following))
    loops = layout.thoughts if layout.kind == "loops" else 0
    return Sequence(
        before,
        thoughts,
        after,
        positions,
        len(with_loss),
        iterations=layout.iterations,
        loops=loops,
        soft=layout.kind == "soft",
    )
