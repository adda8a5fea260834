"""What every command that asks a trained run needs: the model, the questions, unfinished work."""

from __future__ import annotations

from collections.abc import Iterator
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


def load_trained(checkpoint: Path, wanted: GenerationSpec) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer of a checkpoint, on its device; StudyError when it learnt fewer thoughts."""
    from accelerate import Accelerator

    from coconut_study.engine import checkpoints

    trained = checkpoints.card(checkpoint).get("thoughts") or 0
    if (most := max(layout.thoughts for layout in wanted.layouts)) > trained:
        raise StudyError(f"{checkpoint}: trained with {trained} thoughts, cannot be asked with {most}")
    model, tokenizer = checkpoints.load(checkpoint)
    return model.to(Accelerator().device), tokenizer


def read_asked(
    path: Path, wanted: GenerationSpec, tokenizer: PreTrainedTokenizerBase, most: int | None = None
) -> tuple[list[Question], list[Tokens]]:
    """The (first) questions of a file, and their token ids."""
    from coconut_study.questions import schema as q
    from coconut_study.sequences.builder import tokenize
    from coconut_study.sequences.templates import TEMPLATES

    asked = q.read(path)[:most]
    template = TEMPLATES[wanted.text.template]
    return asked, tokenize(asked, template, tokenizer, shared=wanted.text.facts_share_position)


@contextmanager
def unfinished(out: Path, command: str, settings: str, checkpoint: Path, questions: Path) -> Iterator[Pieces]:
    """Pieces of the work on a result, kept beside it until it is written."""
    from coconut_study.common import provenance
    from coconut_study.common.files import file_hash
    from coconut_study.common.workspace import Pieces, workspace
    from coconut_study.engine import checkpoints

    key = provenance.key(command, settings, file_hash(checkpoint / checkpoints.CARD), file_hash(questions))
    with workspace(out.with_name(f"{out.stem}.state"), key) as folder:
        yield Pieces(folder)
