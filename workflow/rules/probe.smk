"""What thoughts hold: values of candidates for the next step, and thoughts read as words.

REQUIRED INPUTS:   <results>/<stage>/checkpoint/   <results>/data/{dataset}/test.jsonl
OUTPUTS:           <results>/runs/<run>/{values,decoded}.csv   <results>/tables/{parallelism,heights,decoded}.*
                   <results>/figures/{parallelism,heights,tree}-*
"""


localrules:
    table_parallelism,
    table_heights,
    table_decoded,
    figure_parallelism,
    figure_heights,
    figure_tree,


def most(number):
    """The option that limits questions; none for all of them."""
    return "" if number is None else f"--most {number}"


rule probe:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
    output:
        values="<results>/runs/<run>/values.csv",
    log:
        "<logs>/probe/<run>.log",
    benchmark:
        "<benchmarks>/probe/<run>.tsv"
    threads: lambda wildcards: needs("probe", wildcards).threads
    resources:
        **job_resources("probe"),
    params:
        code=code("probe"),
        settings=lambda wildcards: asking(wildcards, study.probing.k),
        height=lambda wildcards: study.probing.height,
        most=lambda wildcards: most(study.probing.questions),
    shell:
        r"""
        python -m coconut_study.common.gpus --gpus {resources.gpu} \
            --jobs-per-gpu {resources.jobs_per_gpu} -- python -m coconut_study probe \
            --settings {params.settings:q} \
            --height {params.height} {params.most} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --out {output.values:q} &>{log:q}
        """


rule decode:
    input:
        checkpoint=last_checkpoint,
        questions="<results>/data/{dataset}/test.jsonl",
    output:
        decoded="<results>/runs/<run>/decoded.csv",
    log:
        "<logs>/decode/<run>.log",
    benchmark:
        "<benchmarks>/decode/<run>.tsv"
    threads: lambda wildcards: needs("decode", wildcards).threads
    resources:
        **job_resources("decode"),
    params:
        code=code("decode"),
        settings=lambda wildcards: asking(wildcards, [trained_k(wildcards)]),
        most=lambda wildcards: study.decoding.questions,
        top=lambda wildcards: study.decoding.top,
    shell:
        r"""
        python -m coconut_study.common.gpus --gpus {resources.gpu} \
            --jobs-per-gpu {resources.jobs_per_gpu} -- python -m coconut_study decode \
            --settings {params.settings:q} \
            --most {params.most} \
            --top {params.top} \
            --checkpoint {input.checkpoint:q} \
            --questions {input.questions:q} \
            --out {output.decoded:q} &>{log:q}
        """


rule table_parallelism:
    input:
        values=of_runs("values.csv", ASKED["probe"]),
    output:
        csv="<results>/tables/parallelism.csv",
        html=report(
            "<results>/tables/parallelism.html",
            caption="../report/parallelism.rst",
            category="Tables",
            labels={"table": "value that the best candidates hold"},
        ),
        others=multiext("<results>/tables/parallelism", ".md", ".tex"),
    log:
        "<logs>/table_parallelism.log",
    benchmark:
        "<benchmarks>/table_parallelism.tsv"
    params:
        code=code("table_parallelism"),
        values=listed("values"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-parallelism \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.values:q} &>{log:q}
        """


rule table_heights:
    input:
        values=of_runs("values.csv", ASKED["probe"]),
    output:
        csv="<results>/tables/heights.csv",
        html=report(
            "<results>/tables/heights.html",
            caption="../report/heights.rst",
            category="Tables",
            labels={"table": "value of correct and incorrect candidates by height"},
        ),
        others=multiext("<results>/tables/heights", ".md", ".tex"),
    log:
        "<logs>/table_heights.log",
    benchmark:
        "<benchmarks>/table_heights.tsv"
    params:
        code=code("table_heights"),
        values=listed("values"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-heights \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.values:q} &>{log:q}
        """


rule table_decoded:
    input:
        decoded=of_runs("decoded.csv", ASKED["decode"]),
    output:
        csv="<results>/tables/decoded.csv",
        html=report(
            "<results>/tables/decoded.html",
            caption="../report/decoded.rst",
            category="Tables",
            labels={"table": "thoughts read as words"},
        ),
        others=multiext("<results>/tables/decoded", ".md", ".tex"),
    log:
        "<logs>/table_decoded.log",
    benchmark:
        "<benchmarks>/table_decoded.tsv"
    params:
        code=code("table_decoded"),
        decoded=listed("decoded"),
        titles=json.dumps(TITLES),
    shell:
        r"""
        python -m coconut_study table-decoded \
            --titles {params.titles:q} \
            --out {output.csv:q} \
            {params.decoded:q} &>{log:q}
        """


rule figure_parallelism:
    input:
        table="<results>/tables/parallelism.csv",
    output:
        svg=report(
            "<results>/figures/parallelism-{dataset}-{method}.svg",
            caption="../report/parallelism.rst",
            category="Figures",
            labels={"figure": "value of the best candidates: {dataset}, {method}"},
        ),
        others=multiext("<results>/figures/parallelism-{dataset}-{method}", ".pdf", ".png"),
    log:
        "<logs>/figure_parallelism/{dataset}-{method}.log",
    benchmark:
        "<benchmarks>/figure_parallelism/{dataset}-{method}.tsv"
    params:
        code=code("figure_parallelism"),
    shell:
        r"""
        python -m coconut_study figure-parallelism \
            --table {input.table:q} \
            --dataset {wildcards.dataset} \
            --method {wildcards.method} \
            --out {output.svg:q} &>{log:q}
        """


rule figure_heights:
    input:
        table="<results>/tables/heights.csv",
    output:
        svg=report(
            "<results>/figures/heights-{dataset}-{method}.svg",
            caption="../report/heights.rst",
            category="Figures",
            labels={"figure": "value against height: {dataset}, {method}"},
        ),
        others=multiext("<results>/figures/heights-{dataset}-{method}", ".pdf", ".png"),
    log:
        "<logs>/figure_heights/{dataset}-{method}.log",
    benchmark:
        "<benchmarks>/figure_heights/{dataset}-{method}.tsv"
    params:
        code=code("figure_heights"),
    shell:
        r"""
        python -m coconut_study figure-heights \
            --table {input.table:q} \
            --dataset {wildcards.dataset} \
            --method {wildcards.method} \
            --out {output.svg:q} &>{log:q}
        """


rule figure_tree:
    input:
        values="<results>/runs/<run>/values.csv",
        questions="<results>/data/{dataset}/test.jsonl",
    output:
        svg=report(
            "<results>/figures/tree-{dataset}-{method}-seed{seed}.svg",
            caption="../report/tree.rst",
            category="Figures",
            labels={"figure": "latent search tree: {dataset}, {method}, seed {seed}"},
        ),
        others=multiext("<results>/figures/tree-{dataset}-{method}-seed{seed}", ".pdf", ".png"),
    log:
        "<logs>/figure_tree/{dataset}-{method}-seed{seed}.log",
    benchmark:
        "<benchmarks>/figure_tree/{dataset}-{method}-seed{seed}.tsv"
    params:
        code=code("figure_tree"),
        case=lambda wildcards: study.probing.case,
    shell:
        r"""
        python -m coconut_study figure-tree \
            --values {input.values:q} \
            --questions {input.questions:q} \
            --case {params.case} \
            --out {output.svg:q} &>{log:q}
        """
