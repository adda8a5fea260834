"""The journal of training: what stays after an interruption, and what it never does to the work."""

from coconut_study.common import journal
from coconut_study.common.journal import Journal


def rows(*places):
    return [{"epoch": epoch, "update": update} for epoch, update in places]


def test_rows_between_two_moments_are_left_out_unless_they_must_be_there(tmp_path):
    path = tmp_path / journal.NAME
    written = Journal(path, seconds=3600)
    for row, always in zip(rows((1, 1), (1, 2), (1, 3)), (False, False, True), strict=True):
        written.add(row, always=always)
    assert journal.read(path) == rows((1, 1), (1, 3))


def test_a_resumed_journal_forgets_what_is_done_again(tmp_path):
    path = tmp_path / journal.NAME
    written = Journal(path, seconds=0)
    for row in rows((1, 4), (2, 2), (2, 4), (3, 1)):
        written.add(row)
    Journal(path).resume(2, 3)
    assert journal.read(path) == rows((1, 4), (2, 2))


def test_a_line_that_was_being_written_is_left_out(tmp_path):
    path = tmp_path / journal.NAME
    Journal(path).add(rows((1, 1))[0])
    with path.open("a") as file:
        file.write('{"epoch": 1, "upda')
    assert journal.read(path) == rows((1, 1))


def test_a_journal_that_cannot_be_written_is_told_once(tmp_path, capsys):
    written = Journal(tmp_path / "missing" / journal.NAME, seconds=0)
    for row in rows((1, 1), (1, 2)):
        written.add(row)
    assert capsys.readouterr().err.count("cannot be written") == 1
