"""Questions from the file formats in which data sets are published.

| format                    | recognized by                                                     |
|---------------------------|-------------------------------------------------------------------|
| the published schema      | a JSON list, or JSON lines (see `schema.read`)                    |
| GSM8k-Aug (Deng et al.)   | .txt, one `question||<<1+2=3>> <<3*4=12>> #### 12` per line       |
| ProntoQA's own output     | a JSON object of `example1`, ... with a `test_example` each       |
| a Hugging Face data set   | columns question, steps and answer (see `from_hub`)               |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coconut_study.common.errors import StudyError, one_line
from coconut_study.common.reading import parse_json, read_text
from coconut_study.questions import schema
from coconut_study.questions.question import Question

LINE = re.compile(r"(?P<question>.*?\S.*?)\|\|(?P<steps>.*?)####(?P<answer>.*\S.*)")


def read(path: Path) -> list[Question]:
    """Read the questions of a file in any of these formats.

    StudyError names the file and the line, question or example that is wrong.
    """
    if path.suffix == ".txt":
        return _gsm8k(path)
    if (examples := _prontoqa_examples(path)) is not None:
        return _prontoqa(path, examples)
    return schema.read(path)


def _gsm8k(path: Path) -> list[Question]:
    """Steps are separated by spaces; a line without equations has one empty step, as in the paper's data."""
    questions = []
    for number, line in enumerate(read_text(path).removesuffix("\n").split("\n"), start=1):
        match = LINE.fullmatch(line)
        if match is None:
            raise StudyError(f"{path}, line {number}: is not `question||<<1+2=3>> ... #### answer`")
        parts = {name: part.strip() for name, part in match.groupdict().items()}
        questions.append(Question(parts["question"], tuple(parts["steps"].split(" ")), parts["answer"]))
    return questions


def _prontoqa_examples(path: Path) -> Mapping[str, Any] | None:
    """The examples of a file of ProntoQA's own output, by name; None for a file in another format."""
    text = read_text(path)
    if not text.lstrip().startswith("{") or '"test_example"' not in text:
        return None
    return parse_json(text, path)


def _prontoqa(path: Path, examples: Mapping[str, Any]) -> list[Question]:
    """Two sentences of the chain of thought make one step, as in the Coconut paper's data."""
    questions = []
    for name, example in examples.items():
        try:
            test = example["test_example"]
            chain = test["chain_of_thought"]
            steps = [" ".join(chain[i : i + 2]) for i in range(0, len(chain), 2)]
            record = {"question": test["question"] + " " + test["query"], "steps": steps}
            questions.append(schema.from_json(record | {"answer": test["answer"]}))
        except KeyError as error:
            raise StudyError(f"{path}, {name}: has no test_example with {error}") from error
        except (TypeError, ValueError) as error:
            raise StudyError(f"{path}, {name}: is not an example of ProntoQA ({error})") from error
    return questions


def from_hub(path: str, split: str, revision: str | None) -> list[Question]:
    """Read a split of a Hugging Face data set. `path` is its name on the hub or a folder.

    StudyError if the split cannot be loaded, lacks a column, or has a wrong row.
    """
    import datasets

    try:
        rows = datasets.load_dataset(path, split=split, revision=revision)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise StudyError(f"{path}: split {split} cannot be loaded ({one_line(error)})") from error
    columns = rows.column_names
    if missing := {"question", "steps", "answer"} - {*columns}:
        raise StudyError(f"{path}: has no column {', '.join(sorted(missing))}; it has {', '.join(columns)}")
    return [_from_row(f"{path}, split {split}, row {number}", row) for number, row in enumerate(rows)]


def _from_row(name: str, row: Mapping[str, Any]) -> Question:
    record = {"question": row["question"], "steps": row["steps"], "answer": str(row["answer"])}
    try:
        return schema.from_json(record)
    except ValueError as error:
        raise StudyError(f"{name}: {error}") from error
