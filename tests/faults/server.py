"""Runs commands of the package, each in a child of its own in which one file operation may go wrong.

Started by `trials.Server` with the preload library; torch is imported once, before the first fork. Reads one
trial per line (JSON) and prints the wait status of its child.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from tempfile import TemporaryDirectory

import accelerate
import matplotlib.backends.backend_pdf
import pandas
import sklearn.linear_model
import torch
import transformers

from coconut_study import __main__ as program
from coconut_study.common import provenance
from coconut_study.evaluation import ending, grade, probe, respond
from coconut_study.questions import datasets
from coconut_study.report import markup, results, style
from coconut_study.report.figures import accuracy
from coconut_study.training import base_job, job

# What the commands import, so that a child has not to do it again.
IMPORTED = (
    *(accelerate, matplotlib, pandas, sklearn),
    *(accuracy, base_job, datasets, ending, grade, job, markup, probe, respond, results, style),
)
HUNG_AFTER = 120  # seconds


def main() -> None:
    library = ctypes.CDLL(os.environ["LD_PRELOAD"])
    torch.set_num_threads(1)
    warm_up()
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line), library)
        print(os.waitpid(child, 0)[1], flush=True)


def warm_up() -> None:
    """Fill the caches of what takes long in every child: digests of code, and the loading of a model."""
    for name in ("respond", "probe"):
        provenance.code(provenance.command(name))
    provenance.code("training.job")
    config = transformers.AutoConfig.for_model("gpt2", n_layer=1, n_head=1, n_embd=2, vocab_size=2)
    with TemporaryDirectory() as folder:
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        transformers.AutoModelForCausalLM.from_pretrained(folder)


def run(trial: dict, library: ctypes.CDLL) -> None:
    """Run the command of a trial and end the process with its exit status."""
    signal.alarm(HUNG_AFTER)
    os.chdir(trial["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    output = os.open(trial["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["coconut_study", *trial["command"]]
    library.faults_arm(
        trial["folder"].encode(), trial["at"], trial["how"], trial["error"], trial["log"].encode()
    )
    status = 0
    try:
        program.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
