"""The Coconut study on the command line.

`ask`, `runs` and `schema` are for people. The other commands are those that the rules of the workflow run:
settings are given as JSON, and `@FILE` stands for the lines of a file, one argument per line. `coconut
COMMAND --help` lists the options of a command.
"""

from __future__ import annotations

import os
import sys
from errno import EDQUOT, ENOSPC
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from safetensors import SafetensorError

from coconut_study.common.allocator import collect_rarely, keep_freed
from coconut_study.common.arguments import expanded
from coconut_study.common.errors import StudyError, missing
from coconut_study.common.progress import say
from coconut_study.evaluation import commands as evaluation
from coconut_study.models import commands as models
from coconut_study.questions import commands as questions
from coconut_study.report import commands as report
from coconut_study.study import commands as study
from coconut_study.training import commands as training

AGAIN = "run the same command again"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
for module in (models, study, questions, training, evaluation, report):
    app.add_typer(module.app)


def show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        typer.echo(f"coconut-study {version('coconut-study')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Options of all commands."""


def main() -> None:
    """Run a command; a mistake of the user ends in one sentence on standard error and exit status 1."""
    keep_freed()
    collect_rarely()
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # bars of libraries fill log files
    try:
        app([part for argument in sys.argv[1:] for part in expanded(argument)])
    except StudyError as error:
        fail(str(error))
    except ModuleNotFoundError as error:
        if (sentence := missing(error)) is None:
            raise
        fail(sentence)
    except SafetensorError as error:
        fail(f"weights cannot be read ({error}); correct this and {AGAIN}")
    except OSError as error:
        if error.filename is None:
            raise
        if error.errno in (ENOSPC, EDQUOT):
            fail(f"{error.filename}: disk full; free space and {AGAIN}")
        fail(f"{error.filename}: {error.strerror}")


def fail(sentence: str) -> NoReturn:
    """Write an error to standard error and end with exit status 1."""
    say(f"error: {sentence}")
    raise SystemExit(1) from None


if __name__ == "__main__":
    main()
