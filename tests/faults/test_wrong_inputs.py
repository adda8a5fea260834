"""A thousand wrong inputs: each is one sentence that names the place, and nothing is written.

An input that happens to be right is accepted; what no input may do is end in a traceback, write a file before
it is refused, or take more than a few seconds. The number of inputs of each kind is printed (`pytest -s`).
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

import pytest

from coconut_study.__main__ import main
from coconut_study.common.errors import StudyError
from coconut_study.common.reading import parse_yaml
from coconut_study.study.load import read_study

from ..studies import ALONE, CONFIG, PAPER, plan_of, settings, smoke
from .jobs import CHAIN, DATA, JOBS
from .mutations import mutated, some, wrong_json, wrong_lines, wrong_table, wrong_texts, wrong_yaml
from .trials import Job

SECONDS = 5.0  # of a processor, so that other work on the machine does not count
TRIED: Counter[str] = Counter()


# -------------------------------------------------------------------------------------------- settings


def refusals_of_study(read: Callable[[], Any]) -> Iterator[str]:
    """What is wrong with the way in which settings are refused; nothing if they are accepted."""
    started = process_time()
    try:
        read_study(read(), PAPER)
    except StudyError as error:
        for line in str(error).split("\n"):
            if not line.startswith(("study: ", "study.yaml")) or not line.isprintable() or len(line) > 1000:
                yield f"not a printable sentence with its place: {line[:200]!r} ({len(line)})"
    except Exception as error:
        yield f"{type(error).__name__}: {str(error)[:200]}"
    if process_time() - started > SECONDS:
        yield f"{process_time() - started:.1f} s"


@pytest.mark.parametrize("name", ["smoke", "quick", "tour"])
def test_a_wrong_setting_is_one_sentence(name):
    failures = []
    for what, wrong in some(mutated(settings(name)), 200):
        TRIED["settings"] += 1
        failures += [f"{what}: {fault}" for fault in refusals_of_study(lambda wrong=wrong: wrong)]
    assert failures == []


def test_a_wrong_study_file_is_one_sentence(tmp_path):
    failures, text = [], (CONFIG / "smoke.yaml").read_text()
    for what, data in wrong_yaml(text):
        TRIED["study files"] += 1

        def read(data: bytes = data) -> Any:
            value = parse_yaml(data.decode(errors="replace"), "study.yaml")
            return (
                settings("methods") | value if isinstance(value, dict) else {}
            )  # as Snakemake has refused it

        failures += [f"{what}: {fault}" for fault in refusals_of_study(read)]
    assert failures == []


# ----------------------------------------------------------------------------------------------- files

LORA = {"lora": {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": None}}
ADAPTED = plan_of(
    smoke(["adapted"], {"adapted": {"like": "cot", "title": "Adapted", "model": LORA}}, **ALONE)
)
(RUN, *_) = ADAPTED.runs
OF_ADAPTERS = (
    Job(
        "train adapters",
        (
            "train", "--spec", ADAPTED.chain(*RUN)[0].model_dump_json(), "--parent", "base", *DATA,
            "--checkpoint", "adapted/checkpoint", "--history", "adapted/history.csv",
        ),
        ("train.jsonl", "valid.jsonl", "base"),
    ),
    Job(
        "respond with adapters",
        (
            "respond", "--settings", ADAPTED.generation_spec(RUN).model_dump_json(),
            "--checkpoint", "adapted/checkpoint", "--questions", "test.jsonl",
            "--responses", "adapted.jsonl", "--timings", "adapted.csv",
        ),
        ("test.jsonl", "adapted/checkpoint", "base"),
    ),
)  # fmt: skip
FROM_FILES = (
    Job("train @", ("train", "@arguments"), ("arguments", "train.jsonl", "valid.jsonl", "base")),
    Job(
        "table @",
        ("table", "main", "--arguments", "@table", "--out", "main.csv"),
        ("table", "grades.csv", "shortcuts.csv"),
    ),
)
BY_NAME = {job.name: job for job in (*JOBS, *OF_ADAPTERS, *FROM_FILES)}

# (job, a file that it reads, what is done to the file, the kind of the file, how many inputs)
FILES = [
    ("base model", "train.jsonl", wrong_lines, "question files", 40),
    ("training, stage 0", "valid.jsonl", wrong_lines, "question files", 40),
    ("respond", "test.jsonl", wrong_lines, "question files", 30),
    ("grade", "test.jsonl", wrong_lines, "question files", 50),
    ("grade", "responses.jsonl", wrong_lines, "response files", 70),
    ("grade", "card.json", wrong_json, "cards of questions", 50),
    ("respond", "stage2/checkpoint/card.json", wrong_json, "cards of checkpoints", 50),
    ("training, stage 1", "stage0/checkpoint/card.json", wrong_json, "cards of checkpoints", 40),
    ("respond", "stage2/checkpoint/config.json", wrong_json, "model configurations", 50),
    ("respond", "stage2/checkpoint/tokenizer.json", wrong_json, "tokenizers", 60),
    ("respond", "stage2/checkpoint/tokenizer_config.json", wrong_json, "tokenizers", 40),
    ("respond with adapters", "adapted/checkpoint/adapter_config.json", wrong_json, "adapters", 60),
    ("table main", "grades.csv", wrong_table, "tables", 70),
    ("table main", "shortcuts.csv", wrong_table, "tables", 40),
    ("figure accuracy", "main.csv", wrong_table, "tables", 40),
    ("figure accuracy", "seeds.csv", wrong_table, "tables", 30),
    ("train @", "arguments", wrong_texts, "files of arguments", 30),
    ("table @", "table", wrong_json, "files of arguments", 60),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which every job has run."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        for job in (*JOBS, *OF_ADAPTERS):
            assert status_of(job.command) == 0, job.name
        spec = ("--spec", CHAIN[0].model_dump_json(), "--parent", "base", *DATA)
        out = ("--checkpoint", "other/checkpoint", "--history", "other/history.csv")
        Path("arguments").write_text("".join(f"{line}\n" for line in (*spec, *out)))
        Path("table").write_text(BY_NAME["table main"].command[3])
    for card in folder.glob("**/checkpoint/card.json"):  # or what is wrong beside it is found by its sha256
        facts = json.loads(card.read_text())
        kept = {key: fact for key, fact in facts.items() if key not in ("seal", "sha256")}
        card.write_text(json.dumps(kept))
    return folder


def status_of(command: tuple[str, ...]) -> int:
    with patch.object(sys, "argv", ["coconut_study", *command]), pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


@pytest.mark.parametrize(("name", "file", "wrong", "kind", "number"), FILES)
def test_a_wrong_file_is_one_sentence_and_nothing_is_written(
    finished, tmp_path, monkeypatch, capfd, name, file, wrong, kind, number
):
    job, failures = BY_NAME[name], []
    for what, data in some(wrong((finished / file).read_text()), number):
        TRIED[kind] += 1
        folder = tmp_path / "folder"
        for source in job.inputs:
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (finished / source).is_dir() else shutil.copy
            copy(finished / source, folder / source)
        (folder / file).write_bytes(data)
        monkeypatch.chdir(folder)
        failures += [f"{what}: {fault}" for fault in refusals(job.command, folder, file, capfd)]
        monkeypatch.chdir(tmp_path)
        shutil.rmtree(folder)
    assert failures == []


def refusals(command: tuple[str, ...], folder: Path, file: str, capfd) -> Iterator[str]:
    """What is wrong with the way in which a command refuses; nothing if it accepts."""
    before, started = hashes(folder), process_time()
    capfd.readouterr()
    try:
        status = status_of(command)
    except BaseException as error:
        yield f"{type(error).__name__}: {str(error)[:200]}"
        return
    said = capfd.readouterr().err.strip()
    if process_time() - started > SECONDS:
        yield f"{process_time() - started:.1f} s"
    if status == 0:
        return
    last = (said.split("\n") or [""])[-1]
    if "Traceback" in said or (status, last[:7]) not in {(1, "error: "), (2, "╰──────")}:
        yield f"status {status}: {said[-300:]}"
    if f"@{file}" not in command and Path(file).name not in last and str(Path(file).parent) not in last:
        yield f"does not name {file}: {last}"
    if not last.isprintable() or len(last) > 1000 + len("error: "):
        yield f"not a printable sentence: {last[:200]!r} ({len(last)})"
    if (after := hashes(folder)) != before:
        yield f"wrote {sorted(after.keys() - before.keys())}"


def hashes(folder: Path) -> dict[str, str]:
    """Every file and folder below a folder, with the SHA-256 of files."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def test_there_were_a_thousand():
    if len(TRIED) < len({kind for *_, kind, _ in FILES}) + 2:
        pytest.skip("not all kinds of inputs were tried")
    print(
        *(f"{kind:22} {number:5}" for kind, number in TRIED.items()),
        f"{'in all':22} {TRIED.total():5}",
        sep="\n",
    )
    assert TRIED.total() >= 1000
