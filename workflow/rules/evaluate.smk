"""Responses and grades; how long they take, and when thoughts might end.

REQUIRED INPUTS:   <results>/<stage>/checkpoint/   <results>/data/{dataset}/{train,valid,test}.jsonl
OUTPUTS:           <results>/runs/<run>/{responses.jsonl,timings.csv,grades.csv,clock.csv,ending.csv}
"""


localrules:
    grade,


rule respond:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
    output:
        responses="<results>/runs/<run>/responses.jsonl",
        timings="<results>/runs/<run>/timings.csv",
    log:
        "<logs>/respond/<run>.log",
    benchmark:
        "<benchmarks>/respond/<run>.tsv"
    threads: lambda wildcards: needs("respond", wildcards).threads
    resources:
        **job_resources("respond"),
    params:
        code=code("respond"),
        settings=asking,
    shell:
        r"""
        python -m coconut_study.common.gpus --gpus {resources.gpu} \
            --jobs-per-gpu {resources.jobs_per_gpu} -- python -m coconut_study respond \
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
    output:
        grades="<results>/runs/<run>/grades.csv",
    log:
        "<logs>/grade/<run>.log",
    benchmark:
        "<benchmarks>/grade/<run>.tsv"
    params:
        code=code("grade"),
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


rule clock:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
    output:
        times="<results>/runs/<run>/clock.csv",
    log:
        "<logs>/clock/<run>.log",
    benchmark:
        "<benchmarks>/clock/<run>.tsv"
    threads: lambda wildcards: needs("clock", wildcards).threads
    resources:
        **job_resources("clock"),
    params:
        code=code("clock"),
        settings=lambda wildcards: asking(wildcards, [trained_k(wildcards)]),
        timing=lambda wildcards: study.clock.model_dump_json(),
    shell:
        r"""
        python -m coconut_study.common.gpus --gpus {resources.gpu} \
            --jobs-per-gpu {resources.jobs_per_gpu} -- python -m coconut_study clock \
            --settings {params.settings:q} \
            --timing {params.timing:q} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --out {output.times:q} &>{log:q}
        """


rule ending:
    input:
        checkpoint=last_checkpoint,
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
        test="<results>/data/{dataset}/test.jsonl",
    output:
        ends="<results>/runs/<run>/ending.csv",
    log:
        "<logs>/ending/<run>.log",
    benchmark:
        "<benchmarks>/ending/<run>.tsv"
    threads: lambda wildcards: needs("ending", wildcards).threads
    resources:
        **job_resources("ending"),
    params:
        code=code("ending"),
        settings=lambda wildcards: asking(wildcards, range(trained_k(wildcards) + 1)),
        learning=lambda wildcards: study.ending.model_dump_json(),
    shell:
        r"""
        python -m coconut_study.common.gpus --gpus {resources.gpu} \
            --jobs-per-gpu {resources.jobs_per_gpu} -- python -m coconut_study ending \
            --settings {params.settings:q} \
            --learning {params.learning:q} \
            --checkpoint {input.checkpoint:q} \
            --train {input.train:q} \
            --valid {input.valid:q} \
            --test {input.test:q} \
            --out {output.ends:q} &>{log:q}
        """


rule responses:
    """Every response of every run, graded."""
    input:
        of_runs("grades.csv"),
