"""What commands share: their options, and reading and writing.

Libraries that take seconds to import are imported where they are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from coconut_study.errors import StudyError
from coconut_study.files import written

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import BaseModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from coconut_study.questions import Question
    from coconut_study.sequences import Tokens
    from coconut_study.settings import Asking
    from coconut_study.state import Pieces

    Settings = TypeVar("Settings", bound=BaseModel)

Out = Annotated[Path, typer.Option(help="file to write")]
Asked = Annotated[Path, typer.Option(help="question file")]
Json = Annotated[str, typer.Option(help="settings as JSON")]
Trained = Annotated[Path, typer.Option(help="checkpoint of a run's last stage")]
Minutes = Annotated[float, typer.Option(help="between two saved states of unfinished work")]
Titles = Annotated[str, typer.Option(help="JSON: titles of data sets and methods")]
Grades = Annotated[list[Path], typer.Argument(help="grades of every run")]
Table = Annotated[Path, typer.Option(help="CSV to write; .md, .tex and .html are written beside it")]
Drawn = Annotated[Path, typer.Option(help="CSV to draw")]
Chosen = Annotated[str, typer.Option(help="whose rows are drawn")]
Figure = Annotated[Path, typer.Option(help=".svg to write; .pdf and .png are written beside it")]
Values = Annotated[list[Path], typer.Argument(help="values of every probed run")]


def load_trained(checkpoint: Path, wanted: Asking) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer of a checkpoint, on its device; StudyError when it learnt fewer thoughts."""
    from accelerate import Accelerator

    from coconut_study import checkpoints

    trained = checkpoints.card(checkpoint).get("thoughts") or 0
    if (most := max(layout.thoughts for layout in wanted.layouts)) > trained:
        raise StudyError(f"{checkpoint}: trained with {trained} thoughts, cannot be asked with {most}")
    model, tokenizer = checkpoints.load(checkpoint)
    return model.to(Accelerator().device), tokenizer


def read_asked(
    path: Path, wanted: Asking, tokenizer: PreTrainedTokenizerBase, most: int | None = None
) -> tuple[list[Question], list[Tokens]]:
    """The (first) questions of a file, and their token ids."""
    from coconut_study import questions as q
    from coconut_study.sequences import tokenize
    from coconut_study.templates import TEMPLATES

    asked = q.read(path)[:most]
    template = TEMPLATES[wanted.text.template]
    return asked, tokenize(asked, template, tokenizer, shared=wanted.text.facts_share_position)


@contextmanager
def unfinished(out: Path, module: str, settings: str, checkpoint: Path, questions: Path) -> Iterator[Pieces]:
    """Pieces of the work on a result, kept beside it until it is written."""
    from coconut_study import checkpoints
    from coconut_study import provenance as p
    from coconut_study.state import Pieces, workspace

    key = p.key(module, settings, p.file_hash(checkpoint / checkpoints.CARD), p.file_hash(questions))
    with workspace(out.with_name(f"{out.stem}.state"), key) as folder:
        yield Pieces(folder)


def read_settings(kind: type[Settings], text: str) -> Settings:
    """Settings from JSON; StudyError has a sentence for every mistake."""
    from pydantic import ValidationError

    from coconut_study.explain import explain

    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise StudyError("; ".join(explain(error, kind))) from error


def read_yaml(path: Path) -> Any:
    """What a YAML file holds."""
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"{path}: cannot be read ({_in_a_line(error)})") from error


def read_csv(path: Path, columns: Sequence[str], **reading: Any) -> pd.DataFrame:
    """A table; StudyError names a column that it lacks."""
    import pandas as pd

    try:
        table = pd.read_csv(path, **reading)
    except (OSError, ValueError) as error:
        raise StudyError(f"{path}: cannot be read as a table ({_in_a_line(error)})") from error
    if lacking := [column for column in columns if column not in table]:
        raise StudyError(f"{path}: has no column {', '.join(lacking)}; it has {', '.join(map(str, table))}")
    return table


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


def read_all(paths: list[Path], columns: Sequence[str]) -> pd.DataFrame:
    """The rows of several tables."""
    import pandas as pd

    return pd.concat((read_csv(path, columns) for path in paths), ignore_index=True)


def read_one(path: Path, columns: Sequence[str], dataset: str, method: str) -> pd.DataFrame:
    """The rows of one data set and method."""
    table = read_csv(path, columns)
    return table[(table["dataset"] == dataset) & (table["method"] == method)]


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table whole or not at all."""
    with written(path) as file:
        table.to_csv(file, index=False, float_format="%.10g", lineterminator="\n")


def write_table(path: Path, table: pd.DataFrame, read: pd.DataFrame) -> None:
    """Write a table as numbers (.csv) and as it is read (.md, .tex, .html)."""
    from coconut_study import shown

    write_csv(path, table)
    for suffix, printed in ((".md", shown.markdown), (".tex", shown.latex), (".html", shown.html)):
        with written(path.with_suffix(suffix)) as file:
            file.write(printed(read))
