"""Response files: what is written is read, and every wrong line is named."""

import json

import pytest

from coconut_study.common.errors import StudyError
from coconut_study.evaluation.responses import Response, read, write
from coconut_study.evaluation.settings import GenerationSpec

RUN = {"dataset": "d", "method": "m", "seed": 1}


def response(question, k):
    return Response(question=question, k=k, kind="continuous", hidden=None, finished=True, text="### \u00e9",
                    token_ids=[5, 1])  # fmt: skip


RESPONSES = [response(question, k) for k in (0, 2) for question in range(2)]


def lines(*changes):
    """The records of `RESPONSES`, the first of them with changes."""
    records = [RUN | one.model_dump() for one in RESPONSES]
    return [
        json.dumps(record | change) for record, change in zip(records, [*changes, {}, {}, {}], strict=True)
    ]


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "responses.jsonl"
    write(path, RUN, RESPONSES)
    run, responses = read(path, 2)
    assert run == RUN
    assert [Response(**one.model_dump(include=set(Response.model_fields))) for one in responses] == RESPONSES


def test_a_line_is_the_run_and_then_the_response(tmp_path):
    write(tmp_path / "responses.jsonl", RUN, RESPONSES[:1])
    assert (tmp_path / "responses.jsonl").read_text() == (
        '{"dataset": "d", "method": "m", "seed": 1, "question": 0, "k": 0, "kind": "continuous", '
        '"hidden": null, "finished": true, "text": "### \\u00e9", "token_ids": [5, 1]}\n'
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"k": -1}, "line 1: k: "),
        ({"kind": "none at all"}, "line 1: kind: "),
        ({"finished": "perhaps"}, "line 1: finished: "),
        ({"text": None}, "line 1: text: "),
        ({"token_ids": 5}, "line 1: token_ids: "),
        ({"seed": "one"}, "line 1: seed: "),
        ({"tokens": 5}, "line 1: tokens: unknown key"),
        ({"seed": 2}, "line 2: is a response of another run than line 1"),
        ({"question": 2}, "response to question 2: there are 2 questions"),
        ({"question": 1}, "question 0 has 0 responses with k = 0"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, change, words):
    path = tmp_path / "responses.jsonl"
    path.write_text("\n".join(lines(change)) + "\n")
    with pytest.raises(StudyError, match=words):
        read(path, 2)


def asked(run=RUN, ks=(0, 2), **layout):
    """What a run was asked that gave `RESPONSES`, or something else."""
    layouts = [{"hidden": None, "thoughts": k, "kind": "continuous", "markers": True} | layout for k in ks]
    return GenerationSpec.model_validate(
        {
            "run": run,
            "text": {"template": "prose", "facts_share_position": False},
            "layouts": layouts,
            "responding": {"batch_size": 1, "max_new_tokens": 5},
        }
    )


def test_a_file_cut_at_a_k_or_of_another_run_is_refused(tmp_path):
    """Both were graded as if they were whole and the run's own."""
    path = tmp_path / "responses.jsonl"
    write(path, RUN, RESPONSES)
    read(path, 2, asked())
    for wanted, words in (
        (asked(ks=(0, 1, 2)), "holds responses with k = 0, 2; expected k = 0, 1, 2"),
        (asked(ks=(2,)), "holds responses with k = 0, 2; expected k = 2"),
        (
            asked(RUN | {"seed": 2}),
            "holds responses of dataset d, method m, seed 1; expected those of dataset d, method m, seed 2",
        ),
        (asked(hidden=1), "line 1: has kind: continuous and hidden: None; expected kind: continuous and hid"),
        (asked(kind="pause"), "line 1: has kind: continuous and hidden: None; expected kind: pause and hidd"),
    ):
        with pytest.raises(StudyError, match=words):
            read(path, 2, wanted)
    write(path, RUN, RESPONSES[:2])
    with pytest.raises(StudyError, match="holds responses with k = 0; expected k = 0, 2"):
        read(path, 2, asked())
