"""The command line: one command for each kind of rule.

Settings come as JSON, as the workflow passes them; `python -m coconut_study COMMAND --help` names them.
"""

from __future__ import annotations

import sys
from errno import EDQUOT, ENOSPC
from typing import NoReturn

import typer

from coconut_study.commands import data, evaluation, figures, tables, training
from coconut_study.errors import StudyError
from coconut_study.heap import keep_freed

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
for module in (data, training, evaluation, tables, figures):
    app.add_typer(module.app)


def main() -> None:
    """Run a command; a mistake of the user's is one sentence and exit status 1."""
    keep_freed()
    try:
        app()
    except StudyError as error:
        refuse(str(error))
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        refuse(f"{error.filename or 'the disk'}: no room is left; make some, and the same command goes on")


def refuse(sentence: str) -> NoReturn:
    """End with a sentence and exit status 1."""
    print(f"error: {sentence}", file=sys.stderr)
    raise SystemExit(1) from None


if __name__ == "__main__":
    main()
