"""Every method's tokens at every stage, spelled out."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from coconut_study.sequences import drawing
from coconut_study.sequences.builder import Tokens, build, ending_in
from coconut_study.sequences.methods import Method, Schedule

Q, S1, S2, S3, A = [1, 2], [11, 12], [21], [31], [9, 0]
TOKENS = Tokens(question=Q, positions=[0, 1], steps=[S1, S2, S3], answer=A)
SCHEDULE = Schedule(c=2, stages=2, epochs=(1, 1, 1, 1))
B, E, T, P = 28, 29, -1, 31


@pytest.fixture(scope="module")
def methods():
    with open("config/methods.yaml", encoding="utf-8") as file:
        return {name: Method.model_validate(row) for name, row in yaml.safe_load(file)["methods"].items()}


LAYOUTS = {
    ("cot", 0): Q + S1 + S2 + S3 + A,
    ("no_cot", 3): Q + A,
    ("icot", 3): Q + A,
    ("pause_token", 3): Q + [P] * 4 + A,
    ("coconut", 0): [*Q, B, E, *S1, *S2, *S3, *A],
    ("coconut", 1): [*Q, B, T, T, E, *S2, *S3, *A],
    ("coconut", 2): [*Q, B, T, T, T, T, E, *S3, *A],
    ("coconut", 3): [*Q, B, T, T, T, T, E, *A],
    ("without_curriculum", 3): [*Q, B, T, T, T, T, E, *A],
    ("without_thought", 0): Q + S1 + S2 + S3 + A,
    ("without_thought", 1): Q + S2 + S3 + A,
    ("without_thought", 3): Q + A,
    ("looped", 0): Q + S1 + S2 + S3 + A,
    ("looped", 1): Q + S2 + S3 + A,
    ("looped", 3): Q + A,
    ("pause_as_thought", 0): [*Q, B, E, *S1, *S2, *S3, *A],
    ("pause_as_thought", 2): [*Q, B, P, P, P, P, E, *S3, *A],
}


@pytest.mark.parametrize(("method", "stage"), LAYOUTS)
def test_tokens_and_loss_of_every_method(methods, marks, method, stage):
    layout = methods[method].layout(SCHEDULE, stage)
    sequence = build(TOKENS, layout, marks)
    written = sequence.before + [T] * sequence.thoughts + sequence.after
    expected = LAYOUTS[method, stage]
    assert written == expected
    assert sequence.positions == list(range(len(expected)))
    shown = [] if layout.hidden is None else TOKENS.steps[layout.hidden :]
    assert sequence.n_loss == sum(map(len, shown)) + len(A)
    prompt = sequence.prompt
    assert prompt.before + [T] * prompt.thoughts + prompt.after == expected[: -sequence.n_loss]
    assert len(prompt.positions) == len(prompt)


def test_plans_spend_the_same_budget(methods):
    for method in methods.values():
        assert sum(epochs for _, epochs in method.plan(SCHEDULE)) == 4
    assert [stage for stage, _ in methods["coconut"].plan(SCHEDULE)] == [0, 1, 2, 3]
    assert methods["cot"].plan(SCHEDULE) == [(0, 4)]
    assert methods["no_cot"].plan(SCHEDULE) == methods["icot"].plan(SCHEDULE) == [(3, 4)]


def test_a_chain_shorter_than_the_stage_has_no_steps_left(methods, marks):
    short = Tokens(Q, [0, 1], [S1], A)
    sequence = build(short, methods["coconut"].layout(SCHEDULE, 2), marks)
    assert (sequence.thoughts, sequence.after) == (4, [E, *A])


def test_loops_are_as_many_as_the_thoughts_of_coconut_and_have_no_places(methods, marks):
    for stage in range(4):
        thoughts, loops = (methods[name].layout(SCHEDULE, stage) for name in ("coconut", "looped"))
        assert loops.thoughts == thoughts.thoughts
        assert (loops.places, thoughts.places) == (0, thoughts.thoughts)
        sequence = build(TOKENS, loops, marks)
        assert (sequence.loops, sequence.thoughts) == (loops.thoughts, 0)


def test_frontier_targets_change_nothing_in_layouts(methods):
    for stage in range(4):
        assert methods["frontier"].layout(SCHEDULE, stage) == methods["coconut"].layout(SCHEDULE, stage)


def test_soft_thoughts_have_the_sequences_of_continuous_ones(methods, marks):
    soft = methods["coconut"].model_copy(update={"thoughts": "soft"})
    for stage in range(4):
        ours, theirs = (
            build(TOKENS, row.layout(SCHEDULE, stage), marks) for row in (soft, methods["coconut"])
        )
        assert ours == replace(theirs, soft=stage > 0)
        assert not theirs.soft


def test_a_question_that_ends_in_a_step_has_no_answer(methods, marks):
    ending = ending_in(TOKENS, 1, [22], eos=0)
    whole, cut = (build(one, methods["coconut"].layout(SCHEDULE, 1), marks) for one in (TOKENS, ending))
    assert cut.after == [E, 22, 0]
    assert cut.n_loss == 2
    assert cut.prompt == whole.prompt


def test_frontiers_follow_hidden_steps(methods):
    with pytest.raises(ValueError, match="targets: frontier is for steps: staged, not for steps: kept"):
        Method.model_validate(methods["cot"].model_dump() | {"targets": "frontier"})


def test_stages_that_agree_have_equal_layouts(methods):
    assert methods["coconut"].layout(SCHEDULE, 0) == methods["pause_as_thought"].layout(SCHEDULE, 0)
    assert methods["coconut"].layout(SCHEDULE, 1) != methods["pause_as_thought"].layout(SCHEDULE, 1)


def test_a_forced_number_of_thoughts_hides_as_many_steps(methods):
    final = methods["coconut"].final_layout(SCHEDULE)
    assert (final.thoughts, final.hidden) == (4, None)
    last_staged = methods["coconut"].layout(SCHEDULE, 2)
    assert [last_staged.with_thoughts(k, 2).hidden for k in (0, 1, 2, 3, 4)] == [0, 0, 1, 1, 2]


def test_facts_may_share_positions(marks, methods):
    shared = Tokens([1, 2, 3, 4, 5], [0, 0, 1, 1, 2], [S1], A)
    sequence = build(shared, methods["coconut"].layout(SCHEDULE, 1), marks)
    assert sequence.positions == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert sequence.with_thoughts(0).positions == [0, 0, 1, 1, 2, 3, 4, 5, 6]


def test_the_documentation_shows_what_the_builder_builds(methods):
    shown = drawing.markdown({name: (method, SCHEDULE) for name, method in methods.items()})
    page = Path("docs/methods.md").read_text(encoding="utf-8")
    assert shown in page
    assert "`question <bot> <thought> <thought> <eot> [2a] [2b] [3a] [3b] [###] [answer] [<eos>]`" in shown


@pytest.mark.parametrize(
    ("unit", "units", "left"),
    [
        ("token", 0, [*S1, *S2, *S3]),
        ("token", 1, [*S1[1:], *S2, *S3]),
        ("token", 3, S3),
        ("token", 9, []),
        ("step", 1, [*S2, *S3]),
        ("step", 3, []),
    ],
)
def test_icot_loses_its_chain_from_the_left_and_never_its_answer(methods, marks, unit, units, left):
    last = methods["icot"].layout(SCHEDULE, 3)
    sequence = build(TOKENS, last.without(units, unit), marks)
    assert (sequence.before, sequence.after) == (Q, [*left, *A])
    assert sequence.n_loss == len(left) + len(A)
    assert build(TOKENS, last, marks).after == A


def test_thoughts_side_by_side_differ_in_nothing_but_how_they_are_computed(methods, marks):
    other = methods["coconut"].model_copy(update={"iterations": 2})
    for stage in (0, 1, 3):
        one, two = (
            build(TOKENS, method.layout(SCHEDULE, stage), marks) for method in (methods["coconut"], other)
        )
        assert two.iterations == (2 if stage else None)
        assert replace(two, iterations=None) == one
    with pytest.raises(ValueError, match="iterations: is for continuous thoughts"):
        Method.model_validate(methods["cot"].model_dump() | {"iterations": 2})
