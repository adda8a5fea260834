"""Measure the engine: `python -m bench run` writes a table, `python -m bench report` makes a page of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import pandas as pd
import torch
import typer
import yaml

from bench import measure, work
from bench.report import page
from bench.work import Size
from coconut_study.common.allocator import keep_freed
from coconut_study.common.files import written

PARTS = ("training", "decoding", "thoughts", "recipe", "saving")
PAPER = Path(__file__).parents[1] / "config" / "paper.yaml"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


@app.command()
def run(
    out: Annotated[Path, typer.Option(help="CSV to write")],
    model: Annotated[str, typer.Option(help=", ".join(work.ARCHITECTURES))] = "gpt2",
    batch: Annotated[list[int], typer.Option(help="rows of a training batch")] = [8, 16],  # noqa: B006
    question: Annotated[int, typer.Option(help="tokens of a question")] = 360,
    thoughts: Annotated[int, typer.Option(help="thoughts of a question")] = 6,
    suffix: Annotated[int, typer.Option(help="tokens after the thoughts")] = 12,
    written_tokens: Annotated[list[int], typer.Option(help="tokens of a response")] = [10, 48],  # noqa: B006
    decoded: Annotated[int, typer.Option(help="questions that the engine decodes together")] = 32,
    plain_questions: Annotated[int, typer.Option(help="questions that the plain implementation decodes")] = 2,
    max_thoughts: Annotated[int, typer.Option(help="thoughts up to which their cost is measured")] = 12,
    precision: Annotated[work.Precision, typer.Option(help="bfloat16 is autocast")] = "float32",
    repeats: Annotated[int, typer.Option(help="timed rounds")] = 3,
    only: Annotated[list[str], typer.Option(help=", ".join(PARTS))] = list(PARTS),  # noqa: B006
) -> None:
    """Time training steps, decoding, a k sweep and the cost of a thought."""
    keep_freed()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    sizes = [Size(model, n_rows, question, thoughts, suffix) for n_rows in batch]
    rows = []
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        if "training" in only:
            for size in sizes:
                rows += _training(size, device, repeats)
            rows += _rows("flops", sizes[-1], {"matmul": _best(device, precision)})
        if "decoding" in only:
            for n_tokens in written_tokens:
                size = replace(sizes[-1], batch=decoded)
                rows += _decoding(size, device, n_tokens, plain_questions, repeats)
        if "thoughts" in only:
            rows += _thoughts(sizes[-1], device, max_thoughts, repeats)
        if "recipe" in only:
            rows += _recipe(sizes[-1], device, precision, repeats)
        if "saving" in only:
            rows += _saving(sizes[-1], device, precision, out.parent, repeats)
    facts = {"device": measure.device_name(device), "precision": precision, "torch": torch.__version__}
    with written(out) as file:
        pd.DataFrame(rows).assign(**facts).to_csv(file, index=False)


def _rows(what: str, size: Size, times: dict[str, float], **more: float) -> list[dict]:
    shape = {"model": size.model, "batch": size.batch, "question": size.question, "suffix": size.suffix}
    return [
        {"what": what, **shape, "thoughts": size.thoughts, "work": name, "seconds": taken, **more}
        for name, taken in times.items()
    ]


def _training(size: Size, device: torch.device, repeats: int) -> list[dict]:
    """A training step of each kind, and the peak memory of ours in MB."""
    works = work.training(work.new_model(size, device), size, device)
    rows = _rows("training", size, measure.seconds(works, repeats, device))
    memory = measure.peak_memory(works["ours"], device)
    return [row | {"memory": memory if row["work"] == "ours" else float("nan")} for row in rows]


def _best(device: torch.device, precision: str) -> float:
    """Seconds that a TFLOP takes in a large matrix product."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    return 1e12 / measure.matmul_flops(device, dtype, 8192 if device.type == "cuda" else 2048)


def _decoding(
    size: Size, device: torch.device, written_tokens: int, plain_questions: int, repeats: int
) -> list[dict]:
    """Seconds per question, for one k and for all."""
    network = work.new_model(size, device).eval()
    works = work.decoding(network, size, written_tokens, plain_questions)
    times = measure.seconds(works, repeats, device)
    n_questions = {"plain": min(plain_questions, size.batch)}
    each = {name: taken / n_questions.get(name, size.batch) for name, taken in times.items()}
    return _rows("decoding", size, each, written=written_tokens)


def _thoughts(size: Size, device: torch.device, limit: int, repeats: int) -> list[dict]:
    """A training step with 0 to `limit` thoughts, and the forward pass of one token."""
    network = work.new_model(size, device)
    rows = []
    for k in range(0, limit + 1, max(limit // 4, 1)):
        longer = Size(size.model, size.batch, size.question, k, size.suffix)
        step = work.training(network, longer, device)["ours"]
        rows += _rows("thoughts", longer, measure.seconds({"ours": step}, repeats, device))
    times = measure.seconds({"forward": work.one_token(network.eval(), size)}, max(repeats, 10), device)
    return rows + _rows("one token", size, times)


def _recipe(size: Size, device: torch.device, precision: work.Precision, repeats: int) -> list[dict]:
    """An update in each stage of the paper's recipe for ProsQA."""
    epochs = yaml.safe_load(PAPER.read_text())["datasets"]["prosqa"]["schedule"]["epochs"]
    learner = work.new_learner(work.new_model(size, device), precision)
    rows = []
    for stage, n_epochs in zip(work.recipe(size, epochs), epochs, strict=True):
        times = measure.seconds({"update": work.update(learner, stage)}, repeats, device)
        rows += _rows("recipe", stage, times, epochs=n_epochs)
    return rows


def _saving(
    size: Size, device: torch.device, precision: work.Precision, folder: Path, repeats: int
) -> list[dict]:
    """Saving the state of a stage, on the disk to which the measurements are written."""
    folder.mkdir(parents=True, exist_ok=True)
    learner = work.new_learner(work.new_model(size, device), precision)
    with TemporaryDirectory(dir=folder) as place:
        save = work.saving(learner, size, Path(place))
        return _rows("saving", size, measure.seconds({"saving": save}, repeats, device))


@app.command()
def report(
    tables: Annotated[list[Path], typer.Argument(help="CSV files that `run` wrote")],
    out: Annotated[Path, typer.Option(help="Markdown to write")],
) -> None:
    """The page on performance, from measurements."""
    with written(out) as file:
        file.write(page(pd.concat(map(pd.read_csv, tables), ignore_index=True)))


if __name__ == "__main__":
    app()
