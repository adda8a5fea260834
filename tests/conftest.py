"""Shared fixtures: a small question, tiny models, and reference data if available."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from coconut_study.engine.gpt2 import faster
from coconut_study.questions.graphs import Graph
from coconut_study.questions.question import from_graphs
from coconut_study.sequences.builder import Marks

# In the background SIGINT is ignored, also by the processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[2] / "shared"

#     Alex -> lempus -> rompus        Tom -> gorpus
#        \-> dumpus ----^
GRAPH = Graph(
    names=("Alex", "Tom", "lempus", "dumpus", "rompus", "gorpus", "impus"),
    edges=((0, 2), (0, 3), (2, 4), (3, 4), (1, 5), (2, 3), (4, 6)),
    root=0,
    target=4,
    neg_target=5,
)


@pytest.fixture(scope="session")
def shared():
    """The path of a file of the reference data next to the checkout; skips the test if it is missing."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"reference data {name} is not next to this checkout")
        return path

    return find


@pytest.fixture
def graph() -> Graph:
    return GRAPH


@pytest.fixture
def question(graph):
    return from_graphs([graph], np.random.default_rng(0))[0]


ARCHITECTURES = {
    "gpt2": {"n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 64},
    "llama": {
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "hidden_size": 16,
        "intermediate_size": 32,
    },
    "qwen2": {
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "hidden_size": 16,
        "intermediate_size": 32,
    },
}


def tiny(model_type: str, vocabulary: int = 32):
    """A tiny random model in float64, the same at every call."""
    config = AutoConfig.for_model(
        model_type, vocab_size=vocabulary, bos_token_id=0, eos_token_id=0, **ARCHITECTURES[model_type]
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.data.normal_(std=0.4)
    return model.double().eval()


@pytest.fixture(params=list(ARCHITECTURES))
def model(request):
    return faster(tiny(request.param))


@pytest.fixture
def marks() -> Marks:
    return Marks(bot=28, eot=29, thought=30, pause=31, eos=0, pad=0)
