"""Grades, learning curves and values of candidates, small enough to compute by hand; and a browser."""

import gc
import shutil

import pandas as pd
import pytest

from coconut_study.report import learning

from .examples import graded, history, rows, ten

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def grades():
    """CoT with seeds 1 and 2, Coconut with seed 1 at two numbers of thoughts: four questions each."""
    good, bad = ["correct path"] * 3 + ["hallucination"], ["wrong target"] * 3 + ["correct path"]
    labels = ["correct label"] * 4
    return pd.concat(
        [
            graded("cot", 1, 0, good),
            graded("cot", 2, 0, bad),
            graded("coconut", 1, 0, bad),
            graded("coconut", 1, 2, labels, tokens=6),
        ]
    )


@pytest.fixture
def many():
    """CoT with seeds 1 and 2, Coconut with seeds 1, 2 and 3 at two numbers of thoughts, slow with seed 4."""
    runs = [ten("cot", 1, 0, 5), ten("cot", 2, 0, 7)]
    for seed, n_right in ((1, 6), (2, 9), (3, 2)):
        runs += [ten("coconut", seed, 2, n_right, tokens=6), ten("coconut", seed, 0, 1)]
    return pd.concat([*runs, ten("slow", 4, 0, 10)])


@pytest.fixture
def learnt():
    """Coconut with two stages and two seeds, CoT with one stage and one seed."""
    histories = {"c": history(0, [0.1, 0.9])}
    runs = [{"dataset": "d", "method": "cot", "seed": 1, "stages": ["c"]}]
    for seed, more in ((2, 0.2), (1, 0.0)):
        histories[f"a{seed}"] = history(0, [0.0, 0.2, 0.6 + more])
        histories[f"b{seed}"] = history(1, [0.3 + more, 0.5 + more])
        run = {"dataset": "d", "method": "coconut", "seed": seed, "stages": [f"a{seed}", f"b{seed}"]}
        runs.insert(0, run)
    return learning.learning(histories, runs=runs)


@pytest.fixture
def values():
    """Values of the candidates of three questions, for two seeds and two numbers of thoughts."""
    return pd.concat(
        [
            rows(seed, k, question, *shape)
            for seed in (1, 2)
            for k in (1, 2)
            for question, shape in enumerate(
                [
                    [(0, False, 0.1), (1, True, 0.5 + 0.12 * seed), (1, False, 0.05), (2, False, 0.1)],
                    [(1, True, 0.9)],
                    [(1, True, 0.1), (1, True, 0.3)],
                ]
            )
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def collected():
    """What was loaded so far is kept out of garbage collection, which Holm's adjustment asks for at every
    call."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window; tests that need it are skipped where Playwright or Chromium is missing."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed (pip install -e '.[browser]')"
    )
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()
