"""What commands that use a trained run share: its model, its questions and its unfinished work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coconut_study.common.errors import StudyError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from coconut_study.common.workspace import Pieces
    from coconut_study.evaluation.settings import GenerationSpec
    from coconut_study.questions.question import Question
    from coconut_study.sequences.builder import Tokens


def load_model(checkpoint: Path, spec: GenerationSpec) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load model and tokenizer of a checkpoint, the model to the device of this process.

    StudyError if the model was trained with fewer thoughts than a layout of `spec` has, unless `spec` allows
    more.
    """
    from accelerate import Accelerator

    from coconut_study.engine import checkpoints

    trained = checkpoints.card(checkpoint).get("thoughts") or 0
    if (needed := max(layout.thoughts for layout in spec.layouts)) > trained and not spec.more_thoughts:
        raise StudyError(f"{checkpoint}: trained with {trained} thoughts, cannot generate with {needed}")
    model, tokenizer = checkpoints.load(checkpoint)
    return model.to(Accelerator().device), tokenizer


def models_of(
    checkpoint: Path, base: Path, spec: GenerationSpec
) -> Iterator[tuple[str, tuple[PreTrainedModel, PreTrainedTokenizerBase]]]:
    """Name, model and tokenizer of a trained run and of the base model that its training started from, one
    after the other."""
    from accelerate import Accelerator

    from coconut_study.engine import checkpoints

    yield "trained", load_model(checkpoint, spec)
    model, tokenizer = checkpoints.load(base)
    yield "base", (model.to(Accelerator().device), tokenizer)


def check_questions(
    card: Path | None, files: Mapping[str, Path], checkpoint: Path, trained_card: Path | None = None
) -> None:
    """StudyError if the question `files`, by split, are not those on their card, or if `checkpoint` was
    trained on other questions than those of this card, or of `trained_card` if it is given. Without a card
    nothing is checked."""
    from coconut_study.engine import checkpoints
    from coconut_study.questions import card as cards

    trained = checkpoints.card(checkpoint)
    cards.check(card, files)
    known = trained_card or card
    cards.check(known, {}, trained.get("spec", {}).get("questions"), f"{checkpoint} was trained with")
    cards.check_trained(known, trained.get("data", {}), checkpoint)


def read_questions(
    path: Path, spec: GenerationSpec, tokenizer: PreTrainedTokenizerBase, limit: int | None = None
) -> tuple[list[Question], list[Tokens]]:
    """Read the first `limit` questions of a file (None: all), and tokenize them."""
    from coconut_study.questions import schema
    from coconut_study.sequences.builder import tokenize
    from coconut_study.sequences.templates import TEMPLATES

    questions = schema.read(path)[:limit]
    template = TEMPLATES[spec.text.template]
    return questions, tokenize(questions, template, tokenizer, shared=spec.text.facts_share_position)


def check_names(path: Path, questions: Sequence[Question], tokenizer: PreTrainedTokenizerBase) -> None:
    """StudyError for the first graph question of the file `path` with a name that is no word of a tokenizer
    made of words (see `engine.tokenizer.word_level`)."""
    from coconut_study.engine.tokenizer import UNKNOWN

    known = tokenizer.get_vocab()
    if tokenizer.unk_token != UNKNOWN:
        return
    for index, question in enumerate(questions):
        for name in question.graph.names if question.graph else ():
            if name not in known:
                raise StudyError(
                    f"{path}, question {index}: the model has no word {name}; it knows the names of the "
                    "questions it was made with, and of model.names"
                )


@contextmanager
def saved_pieces(
    out: Path, command: str, settings: str, checkpoint: Path, questions: Path
) -> Iterator[Pieces]:
    """Pieces of the work on the file `out`, saved beside it until the block succeeds.

    They are used again only by the same `command` with the same settings, checkpoint, questions and number
    of CPU threads.
    """
    from coconut_study.common import provenance
    from coconut_study.common.files import file_hash
    from coconut_study.common.workspace import Pieces, workspace
    from coconut_study.engine import checkpoints
    from coconut_study.engine.device import cpu_threads

    key = provenance.key(
        provenance.command(command),
        settings,
        file_hash(checkpoint / checkpoints.CARD),
        file_hash(questions),
        f"{cpu_threads()} threads",
    )
    with workspace(out.with_name(f"{out.stem}.state"), key) as folder:
        yield Pieces(folder)
