"""A trained model to ask.

    model = load("results/quick/runs/planning/coconut/seed1")
    model.ask("Tom is a lempus. Every lempus is a rompus. ... Is Tom a rompus or gorpus?", thoughts=3)

How a question is written, what stands in place of hidden steps, and how long a response may be comes from the
card of the checkpoint. Answers, thoughts and values are those that the commands `respond`, `decode` and
`probe` write, computed by the same functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from pydantic import BaseModel, NonNegativeInt, ValidationError

from coconut_study.common.errors import StudyError, explain, explained, missing
from coconut_study.engine import checkpoints
from coconut_study.engine.decoding import thought_states
from coconut_study.engine.tokenizer import UNKNOWN, marks_of
from coconut_study.evaluation.conditions import MADE, Later, Part, condition_of
from coconut_study.evaluation.grade import count
from coconut_study.evaluation.outcomes import Map, Outcome, classify
from coconut_study.evaluation.record import checkpoint_of
from coconut_study.evaluation.respond import respond, response_of
from coconut_study.evaluation.responses import Response
from coconut_study.evaluation.runs import load_model
from coconut_study.evaluation.settings import GenerationSpec, Grading, Responding
from coconut_study.models.asked import Asked, question_of
from coconut_study.questions.donors import Donor
from coconut_study.questions.frontiers import Height
from coconut_study.questions.question import Question
from coconut_study.sequences.builder import Tokens, build, tokenize
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES, WORD, answer_of, is_right

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Batch: TypeAlias = list[Any] | tuple[Any, ...]  # of Asked
HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
GRADING = Grading(hidden_prefix="completable")


# ---------------------------------------------------------------------------------------------- results


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote for a question after k thoughts.

    `steps` are the sentences (in `symbols`, the names) before the answer mark, `answer` the words after it
    (None: there is no mark). `right` is None if the right answer is not known, and `outcome` if the graph is
    not. `tokens` are the written ones and the continuous thoughts, as the tables count them. `seconds` is the
    time of the call divided by its number of questions.
    """

    k: int
    text: str
    steps: tuple[str, ...]
    answer: str | None
    right: bool | None
    outcome: Outcome | None
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Replaced(Answer):
    """An answer after thoughts, or written steps, were replaced.

    `p_right` and `p_wrong` are the probabilities of the names of the options if an answer has to be given,
    and `forced` the forced choice, 100 p(right) / (p(right) + p(wrong)), in percent. All are None if there is
    no graph.
    """

    p_right: float | None
    p_wrong: float | None

    @property
    def forced(self) -> float | None:
        """The forced choice (%): 50 if neither option is preferred."""
        if self.p_right is None or self.p_wrong is None:
            return None
        both = self.p_right + self.p_wrong
        return 100 * self.p_right / both if both else 50.0


@dataclass(frozen=True, slots=True)
class Thought:
    """A continuous thought: its Euclidean norm, and its most likely tokens under the output embeddings, with
    their probabilities, most likely first."""

    number: int
    words: tuple[tuple[str, float], ...]
    norm: float


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a candidate for the next step: the probability of its name if a step has to be written.

    The candidate is `frontier` edges from the root and `height` edges from a leaf; `correct` says whether the
    target can be reached from it.
    """

    node: str
    frontier: int
    height: int
    correct: bool
    option: bool
    value: float


# ------------------------------------------------------------------------------------------------ model


class Spec(BaseModel):
    """What is read of the specification of a stage, which has more."""

    class Base(BaseModel):
        """The base model."""

        text: TextSettings

    base: Base
    layout: Layout
    evaluation: Responding


class Trained(BaseModel):
    """What is read of the card of a checkpoint."""

    spec: Spec
    thoughts: NonNegativeInt


def load(path: str | PathLike[str], revision: str | None = None) -> Model:
    """The trained model of a checkpoint, of a run, or of a repository on the Hugging Face hub, on the device
    of this process.

    `path` is a folder, or "owner/name" if there is no such folder; `revision` is a commit, branch or tag.
    What is downloaded stays in the cache of the hub. StudyError if it is not the checkpoint of a stage, is
    damaged, or cannot be had.
    """
    folder = checkpoint_of(_found(Path(path), revision))
    card = checkpoints.card(folder)
    if len(checkpoints.with_models(folder)) > 1:
        try:
            import peft  # noqa: F401  # transformers loads adapters with it
        except ModuleNotFoundError as error:
            raise StudyError(f"{folder}: has adapters, and {missing(error)}") from error
    if "spec" not in card:
        raise StudyError(f"{folder}: is not the checkpoint of a stage of training (its card has no spec)")
    try:
        trained = Trained.model_validate(card)
    except ValidationError as error:
        raise StudyError(f"{folder / checkpoints.CARD}: {'; '.join(explain(error, Trained))}") from error
    spec = trained.spec
    settings = GenerationSpec(run={}, text=spec.base.text, layouts=(spec.layout,), responding=spec.evaluation)
    return Model(folder, settings, *load_model(folder, settings))


def _found(path: Path, revision: str | None) -> Path:
    """The folder that is meant; a name of the hub is downloaded."""
    if path.exists() or not HUB_NAME.fullmatch(name := path.as_posix()):
        return path
    from huggingface_hub import errors, snapshot_download

    with explained(f"{name}: no such folder, and the hub gives no model of this name"):
        try:
            return Path(snapshot_download(name, revision=revision))
        except errors.LocalEntryNotFoundError as error:
            raise StudyError(
                f"{name}: no such folder, not in the cache of the hub, and the hub cannot be reached"
            ) from error


class Model:
    """A trained model: `k` is the number of thoughts it was trained with, `layout` that of its last stage.

    A batch of questions is a list; it gives a list of results in its order.
    """

    def __init__(
        self,
        folder: Path,
        settings: GenerationSpec,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
    ) -> None:
        self.folder, self.text, self.responding = folder, settings.text, settings.responding
        (self.layout,) = settings.layouts
        self.k = self.layout.thoughts
        self.model, self.tokenizer = model, tokenizer

    def __repr__(self) -> str:
        return f"<Model {self.folder}: {self.layout.kind} thoughts, k = {self.k}, {self.text.template}>"

    @overload
    def ask(self, question: Batch, thoughts: int | None = None) -> list[Answer]: ...
    @overload
    def ask(self, question: Batch, thoughts: Seq[int]) -> list[list[Answer]]: ...
    @overload
    def ask(self, question: Asked, thoughts: int | None = None) -> Answer: ...
    @overload
    def ask(self, question: Asked, thoughts: Seq[int]) -> list[Answer]: ...

    def ask(self, question: Any, thoughts: Any = None) -> Any:
        """The answer to a question after `thoughts` thoughts (None: as many as in training).

        Several numbers of thoughts give a list of answers in their order; the chain of thoughts is computed
        once for all. StudyError for a wrong question, a word that the model does not know, a number of
        thoughts that it was not trained with, or a question that is too long.
        """
        ks = [self.k] if thoughts is None else [thoughts] if isinstance(thoughts, int) else [*thoughts]
        layouts = [self._layout(k) for k in sorted({*ks})]
        questions, tokens = self._read(question)
        responses, timings = respond(self.model, self.tokenizer, tokens, layouts, self.responding)
        seconds = sum(timing.seconds for timing in timings) / max(len(questions), 1)
        written = {(response.question, response.k): response for response in responses}
        rows = [
            [self._answer(one, written[number, k], seconds) for k in ks]
            for number, one in enumerate(questions)
        ]
        alone = thoughts is None or isinstance(thoughts, int)
        return _alone(question, [row[0] for row in rows] if alone else rows)

    @overload
    def thoughts(self, question: Batch, top: int = 5) -> list[list[Thought]]: ...
    @overload
    def thoughts(self, question: Asked, top: int = 5) -> list[Thought]: ...

    def thoughts(self, question: Any, top: int = 5) -> Any:
        """The continuous thoughts about a question, each read as its `top` most likely tokens.

        A thought is the hidden state that is fed back as an input (paper Figure 4). StudyError if the model
        has no continuous thoughts.
        """
        from coconut_study.evaluation.probe import decoded

        if self.layout.kind != "continuous":
            raise StudyError(f"{self.folder}: has no continuous thoughts to read (kind: {self.layout.kind})")
        size = len(self.tokenizer)
        if not 1 <= top <= size:
            raise StudyError(f"top: {top} is not a number of tokens from 1 to {size}")
        _, tokens = self._read(question)
        batch_size = self.responding.batch_size
        rows = decoded(self.model, self.tokenizer, tokens, self.layout, top, batch_size)
        norms = self._norms(tokens)
        words: dict[tuple[int, int], list[tuple[str, float]]] = {}
        for row in rows:
            words.setdefault((row["question"], row["thought"]), []).append((row["token"], row["probability"]))
        return _alone(
            question,
            [
                [Thought(j, tuple(words[number, j]), norm) for j, norm in enumerate(one, start=1)]
                for number, one in enumerate(norms)
            ],
        )

    @overload
    def values(self, question: Batch, height: Height = "shortest") -> list[dict[int, list[Value]]]: ...
    @overload
    def values(self, question: Asked, height: Height = "shortest") -> dict[int, list[Value]]: ...

    def values(self, question: Any, height: Height = "shortest") -> Any:
        """The values of the candidates for the next step of a graph question, after every number of thoughts.

        The keys are the numbers of thoughts, from 0 to `k`; a number after which no candidate is left has an
        empty list. `height` says which path from a candidate to a leaf counts. StudyError if the question has
        no graph or the model no thoughts.
        """
        from coconut_study.evaluation.probe import probe

        if self.layout.kind not in ("continuous", "pause"):
            raise StudyError(f"{self.folder}: has no thoughts to probe (kind: {self.layout.kind})")
        questions, tokens = self._read(question)
        if any(one.graph is None for one in questions):
            raise StudyError("only the candidates of a question about a graph have values")
        layouts = [self._layout(k) for k in range(self.k + 1)]
        rows = probe(
            self.model, self.tokenizer, questions, tokens, layouts, self.text.template, height,
            self.responding.batch_size,
        )  # fmt: skip
        results: list[dict[int, list[Value]]] = [{k: [] for k in range(self.k + 1)} for _ in questions]
        for row in rows:
            value = Value(**{field.name: row[field.name] for field in fields(Value)})
            results[row["question"]][row["k"]].append(value)
        return _alone(question, results)

    @overload
    def replaced(
        self, question: Batch, by: Any, *, over: Batch = (), which: int | str = "all",
        part: Part | None = None, later: Later = "kept", seed: int = 0,
    ) -> list[Replaced]: ...  # fmt: skip
    @overload
    def replaced(
        self, question: Asked, by: Any, *, over: Batch = (), which: int | str = "all",
        part: Part | None = None, later: Later = "kept", seed: int = 0,
    ) -> Replaced: ...  # fmt: skip

    def replaced(
        self,
        question: Any,
        by: Any,
        *,
        over: Batch = (),
        which: int | str = "all",
        part: Any = None,
        later: Any = "kept",
        seed: int = 0,
    ) -> Any:
        """The answer to a question after the thoughts about it were replaced.

        `by` says what takes their place: another question (the thoughts about it; for a batch, a list of
        questions), "mean" (of the thoughts about the questions `over`), "noise" (with the norm of each
        thought, drawn for `seed`), "zero", "pause" (the embedding of <pause>), or "removed" (nothing; what
        follows moves up). `which` is "all", "last", "all but last", or the number of a thought, from 1.
        `part` is what is replaced of a thought: the "input" that is fed back, or its "keys", "values" or
        "both" in the cache; None for the input, or for both if thoughts are pauses. `later` thoughts are
        "kept" as they were, or "recomputed" after the replaced ones. Of a model that writes its steps, the
        steps are replaced by those that it writes on another question, or removed.

        StudyError for a model with nothing to replace, and for what cannot be replaced so.
        """
        from coconut_study.evaluation.interventions import replaced

        questions, _ = self._read(question)
        others, _ = self._read(list(over), "over")
        given: list[Question] = []
        if by not in MADE:
            given, _ = self._read(by, "by")
            if _is_batch(by) != _is_batch(question) or len(given) != len(questions):
                raise StudyError(
                    "by: give one question in place of one, and as many as there are for a batch"
                )
        if (by == "mean") != bool(others):
            raise StudyError('over: give the questions of the mean with by="mean", and only then')
        try:
            condition = condition_of(self.layout, "given" if given else by, str(which), part, later)
        except ValueError as error:
            raise StudyError(f"{self.folder}: {error}") from error
        asked: list[Mapping[Donor, Question]] = [{"own": one} for one in questions]
        if given:
            asked = [{"own": one, "given": other} for one, other in zip(questions, given, strict=True)]
        start = perf_counter()
        found = replaced(
            self.model, self.tokenizer, asked, others, self.text, self.layout, condition, seed,
            self.responding,
        )  # fmt: skip
        seconds = (perf_counter() - start) / max(len(questions), 1)
        marks = marks_of(self.tokenizer)
        results = []
        for row, answered in found:
            own = questions[row.question]
            layout = self.layout.model_copy(update={"thoughts": row.prompt.thoughts})
            response = response_of(row.question, layout, answered.ids, self.tokenizer, marks)
            answer = self._answer(own, response, seconds)
            p = (answered.p_right, answered.p_wrong) if own.graph else (None, None)
            results.append(Replaced(*(getattr(answer, field.name) for field in fields(answer)), *p))
        return _alone(question, results)

    # ------------------------------------------------------------------------------------------ in here

    def _layout(self, k: int) -> Layout:
        """The layout with k thoughts."""
        if isinstance(k, bool) or not isinstance(k, int) or k < 0:
            raise StudyError(f"thoughts: {k!r} is not a number of thoughts")
        if k > self.k:
            raise StudyError(f"{self.folder}: trained with {self.k} thoughts, cannot answer after {k}")
        hidden = self.layout.hidden
        return self.layout.with_thoughts(k, self.k // hidden if hidden else 0)

    def _read(self, asked: Any, key: str = "question") -> tuple[list[Question], list[Tokens]]:
        """The questions that are asked, one or a batch of them, and their tokens; errors name `key`."""
        batch = [*asked] if _is_batch(asked) else [asked]
        questions = []
        for number, one in enumerate(batch):
            try:
                questions.append(question_of(one))
                self._check_words(questions[-1])
            except StudyError as error:
                where = f"{key} {number}: " if _is_batch(asked) else "" if key == "question" else f"{key}: "
                raise StudyError(f"{where}{error}") from error
        if not questions:
            return [], []
        template, shared = TEMPLATES[self.text.template], self.text.facts_share_position
        return questions, tokenize(questions, template, self.tokenizer, shared=shared)

    def _check_words(self, question: Question) -> None:
        """StudyError if the model's template cannot write the question, or its tokenizer lacks a word."""
        if self.text.template == "symbols" and question.graph is None:
            raise StudyError(
                'the model knows questions about graphs only: facts such as "Tom is a lempus.", then "Is '
                '<person> a <concept> or <concept>?"'
            )
        if self.tokenizer.unk_token != UNKNOWN:
            return
        known = self.tokenizer.get_vocab()
        for word in WORD.findall(TEMPLATES[self.text.template].text(question).question):
            if word not in known:
                raise StudyError(f"the model has no word {word}")

    def _answer(self, question: Question, response: Response, seconds: float) -> Answer:
        template = TEMPLATES[self.text.template]
        right = is_right(question, response.text, template) if question.answer else None
        outcome = None
        if question.graph is not None:
            reading = template.read(response.text)
            outcome = classify(reading, Map(question.graph), right=bool(right), hidden=response.hidden)
        body = response.text.partition("#")[0]
        steps = body.split() if self.text.template == "symbols" else body.split("\n")
        return Answer(
            k=response.k,
            text=response.text,
            steps=tuple(step.strip() for step in steps if step.strip()),
            answer=answer_of(response.text),
            right=right,
            outcome=outcome,
            tokens=count(response, GRADING),
            seconds=seconds,
        )

    def _norms(self, tokens: Seq[Tokens]) -> list[list[float]]:
        """The Euclidean norm of each thought about each question."""
        marks, size = marks_of(self.tokenizer), self.responding.batch_size
        norms: list[list[float]] = []
        for start in range(0, len(tokens), size):
            prompts = [build(one, self.layout, marks).prompt for one in tokens[start : start + size]]
            states_BKD = thought_states(self.model, prompts, self.k, marks)[:, :-1]
            norms += states_BKD.float().norm(dim=-1).tolist()
        return norms


def _is_batch(asked: Any) -> bool:
    return isinstance(asked, list | tuple)


def _alone(asked: Any, results: list[Any]) -> Any:
    """The results of a batch, or that of a single question."""
    return results if _is_batch(asked) else results[0]
