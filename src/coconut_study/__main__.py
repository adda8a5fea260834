"""The command line: one command for each kind of rule.

Settings come as JSON, as the workflow passes them; `python -m coconut_study COMMAND --help` names them.
"""

from __future__ import annotations

import sys
from errno import EDQUOT, ENOSPC
from json import JSONDecodeError
from pathlib import Path
from typing import NoReturn

import typer
from safetensors import SafetensorError

from coconut_study.common.allocator import keep_freed
from coconut_study.common.errors import StudyError
from coconut_study.evaluation import commands as evaluation
from coconut_study.questions import commands as questions
from coconut_study.report import commands as report
from coconut_study.training import commands as training

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
for module in (questions, training, evaluation, report):
    app.add_typer(module.app)


def main() -> None:
    """Run a command; a mistake of the user's is one sentence and exit status 1."""
    keep_freed()
    try:
        app([part for argument in sys.argv[1:] for part in unfolded(argument)])
    except StudyError as error:
        refuse(str(error))
    except JSONDecodeError as error:
        refuse(f"{error.doc[:60]!r} is not JSON ({error.msg})")
    except SafetensorError as error:
        refuse(f"a file of weights: {error}; the same command goes on when that is mended")
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            refuse(
                f"{error.filename or 'the disk'}: no room is left; make some, and the same command goes on"
            )
        if error.filename is None:
            raise
        refuse(f"{error.filename}: {error.strerror}")


def unfolded(argument: str) -> list[str]:
    """What an argument stands for: the lines of a file, where it is `@` and the file."""
    return Path(argument[1:]).read_text("utf-8").splitlines() if argument.startswith("@") else [argument]


def refuse(sentence: str) -> NoReturn:
    """End with a sentence and exit status 1."""
    print(f"error: {sentence}", file=sys.stderr)
    raise SystemExit(1) from None


if __name__ == "__main__":
    main()
