"""Question files in the forms others publish -> questions.

| form                        | told by                                                                    |
|-----------------------------|----------------------------------------------------------------------------|
| the published schema        | a JSON list, or JSON lines (`questions.read`)                              |
| GSM8k-Aug (Deng et al.)     | .txt: `question||<<1+2=3>> <<3*4=12>> #### 12` a line                      |
| ProntoQA's own output       | a JSON object of `example1`, ...; steps are pairs of sentences (its paper) |
| a Hugging Face data set     | columns question, steps, answer                                            |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coconut_study.common import files
from coconut_study.common.errors import StudyError
from coconut_study.questions import schema
from coconut_study.questions.question import Question

LINE = re.compile(r"(?P<question>.*?\S.*?)\|\|(?P<steps>.*?)####(?P<answer>.*\S.*)")


def read(path: Path) -> list[Question]:
    """The questions of a file in any of the forms; StudyError names the file and the place of a mistake."""
    if path.suffix == ".txt":
        return _gsm8k(path)
    if (examples := _prontoqa_examples(path)) is not None:
        return _prontoqa(path, examples)
    return schema.read(path)


def _gsm8k(path: Path) -> list[Question]:
    """Steps are what blanks separate; a line without equations has one empty step, as the paper's data do."""
    found = []
    for number, line in enumerate(files.text_of(path).removesuffix("\n").split("\n"), start=1):
        match = LINE.fullmatch(line)
        if match is None:
            raise StudyError(f"{path}, line {number}: is not `question||<<1+2=3>> ... #### answer`")
        parts = {name: part.strip() for name, part in match.groupdict().items()}
        found.append(Question(parts["question"], tuple(parts["steps"].split(" ")), parts["answer"]))
    return found


def _prontoqa_examples(path: Path) -> Mapping[str, Any] | None:
    """The object in ProntoQA's own output; None for a file of another form."""
    text = files.text_of(path)
    if not text.lstrip().startswith("{") or '"test_example"' not in text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise StudyError(f"{path}, line {error.lineno}: not JSON ({error.msg})") from error


def _prontoqa(path: Path, examples: Mapping[str, Any]) -> list[Question]:
    """Two sentences of the chain of thought make a step, as the Coconut paper's data have it."""
    found = []
    for name, example in examples.items():
        try:
            asked = example["test_example"]
            chain = asked["chain_of_thought"]
            steps = [" ".join(chain[i : i + 2]) for i in range(0, len(chain), 2)]
            record = {"question": asked["question"] + " " + asked["query"], "steps": steps}
            found.append(schema.from_json(record | {"answer": asked["answer"]}))
        except KeyError as error:
            raise StudyError(f"{path}, {name}: has no test_example with {error}") from error
        except (TypeError, ValueError) as error:
            raise StudyError(f"{path}, {name}: is no example of ProntoQA ({error})") from error
    return found


def from_hub(path: str, split: str, revision: str | None) -> list[Question]:
    """The questions of a split of a Hugging Face data set, by name or folder."""
    import datasets

    try:
        rows = datasets.load_dataset(path, split=split, revision=revision)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = (str(error).strip().splitlines() or [repr(error)])[0]
        raise StudyError(f"{path}: split {split} cannot be loaded ({reason})") from error
    there = rows.column_names
    if lacking := {"question", "steps", "answer"} - {*there}:
        raise StudyError(f"{path}: has no column {', '.join(sorted(lacking))}; it has {', '.join(there)}")
    return [_from_row(f"{path}, split {split}, row {number}", row) for number, row in enumerate(rows)]


def _from_row(name: str, row: Mapping[str, Any]) -> Question:
    record = {"question": row["question"], "steps": row["steps"], "answer": str(row["answer"])}
    try:
        return schema.from_json(record)
    except ValueError as error:
        raise StudyError(f"{name}: {error}") from error
