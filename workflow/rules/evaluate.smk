"""Responses and grades.

REQUIRED INPUTS:   <results>/<stage>/checkpoint/   <results>/data/{dataset}/test.jsonl
OUTPUTS:           <results>/runs/<run>/{responses.jsonl,timings.csv,grades.csv}
"""


def asking(wildcards):
    """All that determines the responses of a run."""
    return study.asking(wildcards.dataset, wildcards.method, int(wildcards.seed)).model_dump_json()


rule respond:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        code=code("respond"),
    output:
        responses="<results>/runs/<run>/responses.jsonl",
        timings="<results>/runs/<run>/timings.csv",
    log:
        "<logs>/respond/<run>.log",
    benchmark:
        "<benchmarks>/respond/<run>.tsv"
    resources:
        gpu=study.machine.gpus,
        mem_mb=study.machine.memory_mb,
        runtime=study.machine.minutes,
    params:
        settings=asking,
    shell:
        r"""
        python -m coconut_study respond \
            --settings {params.settings:q} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --responses {output.responses:q} \
            --timings {output.timings:q} &>{log:q}
        """


rule grade:
    input:
        responses="<results>/runs/<run>/responses.jsonl",
        questions="<results>/data/{dataset}/test.jsonl",
        code=code("grade"),
    output:
        grades="<results>/runs/<run>/grades.csv",
    log:
        "<logs>/grade/<run>.log",
    benchmark:
        "<benchmarks>/grade/<run>.tsv"
    params:
        settings=study.grading.model_dump_json(),
        template=study.text.template,
    shell:
        r"""
        python -m coconut_study grade \
            --settings {params.settings:q} \
            --template {params.template} \
            --responses {input.responses:q} \
            --questions {input.questions:q} \
            --out {output.grades:q} &>{log:q}
        """


rule responses:
    """Every response of every run, graded."""
    input:
        [f"{RESULTS}/runs/{d}/{m}/seed{s}/grades.csv" for d, m, s in RUNS],
