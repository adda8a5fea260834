"""A study of 10,000 jobs: planned within a minute, and every command short enough to be run."""

import re
import resource

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

MOST = 131_071  # bytes of one argument of a Linux command, here of `bash -c`
METHODS = [f"rate_{number}" for number in range(1, 12)]
OVERLAY = f"""
study: many
methods:
{
    "".join(
        f"  {name}: {{like: coconut, title: {name}, training: {{clip: {place}}}}}" + chr(10)
        for place, name in enumerate(METHODS, start=2)
    )
}
runs:
- datasets: [planning]
  methods: [cot, no_cot, coconut, pause_token, without_curriculum, without_thought, pause_as_thought]
  seeds: &seeds {list(range(100))}
- {{datasets: [planning], methods: {METHODS}, seeds: *seeds}}
"""


def test_ten_thousand_jobs_are_planned_in_a_minute(fresh):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = fresh.snakemake("-n", "-p", study="quick", also=fresh.write("many.yaml", OVERLAY))
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert done.returncode == 0, done.stderr[-2000:]
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.MULTILINE))
    assert int(jobs["total"]) > 9_500
    assert jobs["respond"] == jobs["grade"] == str(18 * 100)
    assert seconds < 60
    commands = re.findall(r"python -m coconut_study [^&]*&>", done.stdout)
    assert len(commands) > 3_500
    assert max(map(len, commands)) < MOST / 10
