"""Evaluation of trained runs: responses and grades, times, when thoughts may end, what thoughts contain.

REQUIRED INPUTS:   <results>/<stage>/checkpoint/   <results>/data/{dataset}/{{train,valid,test}.jsonl,card.json}
OUTPUTS:           <results>/runs/<run>/{responses.jsonl,timings.csv,run.json,grades.csv,clock.csv,ending.csv}
                   <results>/runs/<run>/asked/{asked}/{responses.jsonl,timings.csv,grades.csv}
                   <results>/runs/<run>/{values,interventions,tracing,linear,attention,removal,decoded}.csv
NOT DECLARED:      <results>/runs/<run>/model, a link to the last checkpoint: without it, as in a copy of the results on
                   storage that has no links, nothing needs to run again
"""

import json


localrules:
    grade,
    grade_asked,


def last_checkpoint(wildcards):
    """The checkpoint of a trained run."""
    return plan.last_checkpoint(run_of(wildcards))


def stage_names(wildcards):
    """The options that name the stages of a run, in training order; their folders lie side by side."""
    run = run_of(wildcards)
    return [f"--stage={Path(plan.stage_folder(run, spec)).name}" for spec in plan.chains[run]]


def generation(rule):
    """All that determines what a run generates for a rule, as a function of wildcards."""
    return lambda wildcards: plan.generation_spec(run_of(wildcards), rule).model_dump_json()


def ask_settings(wildcards):
    """All that determines what a run generates when it is asked the questions of another data set."""
    return plan.ask_spec(Ask(run_of(wildcards), wildcards.asked)).model_dump_json()


def limit(number):
    """The option that limits the questions; none for all of them."""
    return "" if number is None else f"--limit {number}"


rule respond:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        responses="<results>/runs/<run>/responses.jsonl",
        timings="<results>/runs/<run>/timings.csv",
        record="<results>/runs/<run>/run.json",
    log:
        "<logs>/respond/<run>.log",
    benchmark:
        "<benchmarks>/respond/<run>.tsv"
    threads: need("respond", "threads")
    resources:
        **job_resources("respond"),
    params:
        code=code("respond"),
        settings=generation("respond"),
        stages=stage_names,
    shell:
        ON_GPUS + r"""python -m coconut_study respond \
            --settings {params.settings:q} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --responses {output.responses:q} \
            --timings {output.timings:q} \
            --record {output.record:q} {params.stages:q} &>{log:q}
        """


rule grade:
    input:
        responses="<results>/runs/<run>/responses.jsonl",
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        grades="<results>/runs/<run>/grades.csv",
    log:
        "<logs>/grade/<run>.log",
    benchmark:
        "<benchmarks>/grade/<run>.tsv"
    params:
        code=code("grade"),
        settings=study.grading.model_dump_json(),
        generation=generation("respond"),
        template=lambda wildcards: study.text_of(wildcards.method).template,
    shell:
        r"""
        python -m coconut_study grade \
            --settings {params.settings:q} \
            --generation {params.generation:q} \
            --template {params.template} \
            --responses {input.responses:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.grades:q} &>{log:q}
        """


rule ask:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{asked}/test.jsonl",
        card="<results>/data/{asked}/card.json",
        trained_card="<results>/data/{dataset}/card.json",
    output:
        responses="<results>/runs/<run>/asked/{asked}/responses.jsonl",
        timings="<results>/runs/<run>/asked/{asked}/timings.csv",
    log:
        "<logs>/ask/<run>/{asked}.log",
    benchmark:
        "<benchmarks>/ask/<run>/{asked}.tsv"
    threads: need("ask", "threads")
    resources:
        **job_resources("ask"),
    params:
        code=code("respond"),
        settings=ask_settings,
    shell:
        ON_GPUS + r"""python -m coconut_study respond \
            --settings {params.settings:q} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --trained-card {input.trained_card:q} \
            --responses {output.responses:q} \
            --timings {output.timings:q} &>{log:q}
        """


rule grade_asked:
    input:
        responses="<results>/runs/<run>/asked/{asked}/responses.jsonl",
        questions="<results>/data/{asked}/test.jsonl",
        card="<results>/data/{asked}/card.json",
    output:
        grades="<results>/runs/<run>/asked/{asked}/grades.csv",
    log:
        "<logs>/grade_asked/<run>/{asked}.log",
    benchmark:
        "<benchmarks>/grade_asked/<run>/{asked}.tsv"
    params:
        code=code("grade"),
        settings=study.grading.model_dump_json(),
        generation=ask_settings,
        template=lambda wildcards: study.text_of(wildcards.method).template,
    shell:
        r"""
        python -m coconut_study grade \
            --settings {params.settings:q} \
            --generation {params.generation:q} \
            --template {params.template} \
            --responses {input.responses:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.grades:q} &>{log:q}
        """


rule clock:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        times="<results>/runs/<run>/clock.csv",
    log:
        "<logs>/clock/<run>.log",
    benchmark:
        "<benchmarks>/clock/<run>.tsv"
    threads: need("clock", "threads")
    resources:
        **job_resources("clock"),
    params:
        code=code("clock"),
        settings=generation("clock"),
        timing=lambda wildcards: study.clock.model_dump_json(),
    shell:
        ON_GPUS + r"""python -m coconut_study clock \
            --settings {params.settings:q} \
            --timing {params.timing:q} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.times:q} &>{log:q}
        """


rule ending:
    input:
        checkpoint=last_checkpoint,
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
        test="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        ends="<results>/runs/<run>/ending.csv",
    log:
        "<logs>/ending/<run>.log",
    benchmark:
        "<benchmarks>/ending/<run>.tsv"
    threads: need("ending", "threads")
    resources:
        **job_resources("ending"),
    params:
        code=code("ending"),
        settings=generation("ending"),
        learning=lambda wildcards: study.ending.model_dump_json(),
    shell:
        ON_GPUS + r"""python -m coconut_study ending \
            --settings {params.settings:q} \
            --learning {params.learning:q} \
            --checkpoint {input.checkpoint:q} \
            --train {input.train:q} \
            --valid {input.valid:q} \
            --test {input.test:q} \
            --card {input.card:q} \
            --out {output.ends:q} &>{log:q}
        """


rule probe:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        values="<results>/runs/<run>/values.csv",
    log:
        "<logs>/probe/<run>.log",
    benchmark:
        "<benchmarks>/probe/<run>.tsv"
    threads: need("probe", "threads")
    resources:
        **job_resources("probe"),
    params:
        code=code("probe"),
        settings=generation("probe"),
        height=lambda wildcards: study.probing.height,
        limit=lambda wildcards: limit(study.probing.questions),
    shell:
        ON_GPUS + r"""python -m coconut_study probe \
            --settings {params.settings:q} \
            --height {params.height} {params.limit} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.values:q} &>{log:q}
        """


rule decode:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        decoded="<results>/runs/<run>/decoded.csv",
    log:
        "<logs>/decode/<run>.log",
    benchmark:
        "<benchmarks>/decode/<run>.tsv"
    threads: need("decode", "threads")
    resources:
        **job_resources("decode"),
    params:
        code=code("decode"),
        settings=generation("decode"),
        limit=lambda wildcards: limit(study.decoding.questions),
        top=lambda wildcards: study.decoding.top,
    shell:
        ON_GPUS + r"""python -m coconut_study decode \
            --settings {params.settings:q} \
            {params.limit} \
            --top {params.top} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.decoded:q} &>{log:q}
        """


rule intervene:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        interventions="<results>/runs/<run>/interventions.csv",
    log:
        "<logs>/intervene/<run>.log",
    benchmark:
        "<benchmarks>/intervene/<run>.tsv"
    threads: need("intervene", "threads")
    resources:
        **job_resources("intervene"),
    params:
        code=code("intervene"),
        settings=generation("intervene"),
        battery=lambda wildcards: study.interventions.battery(wildcards.method),
        limit=lambda wildcards: limit(study.interventions.questions),
        seed=lambda wildcards: study.interventions.seed,
    shell:
        ON_GPUS + r"""python -m coconut_study intervene \
            --settings {params.settings:q} \
            --battery {params.battery} \
            --seed {params.seed} {params.limit} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.interventions:q} &>{log:q}
        """


rule trace:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        tracing="<results>/runs/<run>/tracing.csv",
    log:
        "<logs>/trace/<run>.log",
    benchmark:
        "<benchmarks>/trace/<run>.tsv"
    threads: need("trace", "threads")
    resources:
        **job_resources("trace"),
    params:
        code=code("trace"),
        settings=generation("trace"),
        limit=lambda wildcards: limit(study.tracing.questions),
    shell:
        ON_GPUS + r"""python -m coconut_study trace \
            --settings {params.settings:q} \
            {params.limit} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.tracing:q} &>{log:q}
        """


rule linear:
    input:
        checkpoint=last_checkpoint,
        base=lambda wildcards: plan.base_folder(
            plan.base_spec(wildcards.method, int(wildcards.seed))
        ),
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        linear="<results>/runs/<run>/linear.csv",
    log:
        "<logs>/linear/<run>.log",
    benchmark:
        "<benchmarks>/linear/<run>.tsv"
    threads: need("linear", "threads")
    resources:
        **job_resources("linear"),
    params:
        code=code("linear"),
        settings=generation("linear"),
        limit=lambda wildcards: limit(study.linear.questions),
        within=lambda wildcards: json.dumps(study.linear.within),
    shell:
        ON_GPUS + r"""python -m coconut_study linear \
            --settings {params.settings:q} \
            --within {params.within:q} {params.limit} \
            --checkpoint {input.checkpoint:q} \
            --base {input.base:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.linear:q} &>{log:q}
        """


rule attend:
    input:
        checkpoint=last_checkpoint,
        base=lambda wildcards: plan.base_folder(
            plan.base_spec(wildcards.method, int(wildcards.seed))
        ),
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        attention="<results>/runs/<run>/attention.csv",
    log:
        "<logs>/attend/<run>.log",
    benchmark:
        "<benchmarks>/attend/<run>.tsv"
    threads: need("attend", "threads")
    resources:
        **job_resources("attend"),
    params:
        code=code("attend"),
        settings=generation("attend"),
        limit=lambda wildcards: limit(study.attention.questions),
    shell:
        ON_GPUS + r"""python -m coconut_study attend \
            --settings {params.settings:q} \
            {params.limit} \
            --checkpoint {input.checkpoint:q} \
            --base {input.base:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.attention:q} &>{log:q}
        """


rule remove:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        removal="<results>/runs/<run>/removal.csv",
    log:
        "<logs>/remove/<run>.log",
    benchmark:
        "<benchmarks>/remove/<run>.tsv"
    threads: need("remove", "threads")
    resources:
        **job_resources("remove"),
    params:
        code=code("remove"),
        settings=generation("remove"),
        limit=lambda wildcards: limit(study.removal.questions),
        seed=lambda wildcards: study.removal.seed,
    shell:
        ON_GPUS + r"""python -m coconut_study remove \
            --settings {params.settings:q} \
            --seed {params.seed} {params.limit} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.removal:q} &>{log:q}
        """


rule responses:
    """Every response of every run, graded."""
    input:
        plan.of_runs("grades.csv"),
        to_make(plan.saved_cards(plan.runs)),
