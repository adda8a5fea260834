"""The command line: one command for each kind of rule.

Settings come as JSON, as the workflow passes them; `python -m coconut_study COMMAND --help` names them.
"""

from __future__ import annotations

import sys

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
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
