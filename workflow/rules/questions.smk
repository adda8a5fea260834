"""Questions and their statistics.

REQUIRED INPUTS:   none, or the files that a data set names; shards if a data set is drawn in several
OUTPUTS:           <results>/data/{dataset}/{train,valid,test}.jsonl   <results>/data/{dataset}/card.json
                   (of a data set that is made of another one, test.jsonl and card.json)
                   <results>/data/{dataset}/{train,valid,test,shortcuts}.csv
"""


localrules:
    derive,
    describe,
    shortcuts,


def either(names):
    """The pattern of one of these names; of nothing if there are none."""
    return "|".join(names) or "(?!)"


rule shard:
    output:
        questions="<results>/data/{dataset}/shards-{id}/{shard}.jsonl",
    log:
        "<logs>/shard/{dataset}-{id}-{shard}.log",
    benchmark:
        "<benchmarks>/shard/{dataset}-{id}-{shard}.tsv"
    params:
        code=code("shard"),
        settings=lambda wildcards: plan.sources[wildcards.id].model_dump_json(),
    shell:
        r"""
        python -m coconut_study shard \
            --settings {params.settings:q} \
            --number {wildcards.shard} \
            --out {output.questions:q} &>{log:q}
        """


rule questions:
    input:
        shards=lambda wildcards: plan.shards(wildcards.dataset),
        files=lambda wildcards: [*filter(os.path.exists, plan.source_files(wildcards.dataset))],  # see onstart
    output:
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
        test="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    log:
        "<logs>/questions/{dataset}.log",
    benchmark:
        "<benchmarks>/questions/{dataset}.tsv"
    wildcard_constraints:
        dataset=either(name for name in study.datasets if name not in plan.derived),
    params:
        code=code("questions"),
        settings=lambda wildcards: study.datasets[wildcards.dataset].questions.model_dump_json(),
    shell:
        r"""
        python -m coconut_study questions \
            --settings {params.settings:q} \
            --train {output.train:q} \
            --valid {output.valid:q} \
            --test {output.test:q} \
            --card {output.card:q} \
            {input.shards:q} &>{log:q}
        """


rule derive:
    input:
        of=lambda wildcards: plan.questions(plan.derived[wildcards.dataset], "test"),
        of_card=lambda wildcards: plan.card(plan.derived[wildcards.dataset]),
    output:
        test="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    log:
        "<logs>/derive/{dataset}.log",
    benchmark:
        "<benchmarks>/derive/{dataset}.tsv"
    wildcard_constraints:
        dataset=either(plan.derived),
    params:
        code=code("derive"),
        settings=lambda wildcards: study.datasets[wildcards.dataset].questions.model_dump_json(),
    shell:
        r"""
        python -m coconut_study derive \
            --settings {params.settings:q} \
            --of {input.of:q} \
            --of-card {input.of_card:q} \
            --test {output.test:q} \
            --card {output.card:q} &>{log:q}
        """


rule describe:
    input:
        questions="<results>/data/{dataset}/{split}.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        statistics="<results>/data/{dataset}/{split}.csv",
    log:
        "<logs>/describe/{dataset}-{split}.log",
    benchmark:
        "<benchmarks>/describe/{dataset}-{split}.tsv"
    params:
        code=code("describe"),
    shell:
        r"""
        python -m coconut_study describe \
            --questions {input.questions:q} \
            --card {input.card:q} \
            --out {output.statistics:q} &>{log:q}
        """


rule shortcuts:
    input:
        train="<results>/data/{dataset}/train.jsonl",
        test="<results>/data/{dataset}/test.jsonl",
        card="<results>/data/{dataset}/card.json",
    output:
        table="<results>/data/{dataset}/shortcuts.csv",
    log:
        "<logs>/shortcuts/{dataset}.log",
    benchmark:
        "<benchmarks>/shortcuts/{dataset}.tsv"
    params:
        code=code("shortcuts"),
    shell:
        r"""
        python -m coconut_study shortcuts \
            --train {input.train:q} \
            --test {input.test:q} \
            --card {input.card:q} \
            --out {output.table:q} &>{log:q}
        """


rule data:
    """All questions, with their statistics."""
    input:
        expand("<results>/data/{dataset}/{split}.csv", dataset=plan.datasets, split=SPLITS),
        expand("<results>/data/{dataset}/test.csv", dataset=plan.used),
