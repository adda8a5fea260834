"""The page of a study that answers one question: what was predicted, and what came out.

REQUIRED INPUTS:   <results>/tables/{predictions.csv,*.md}   <results>/figures/*.txt
OUTPUTS:           <results>/finding.md, if the study has a finding
"""


localrules:
    finding,


def page_of_study():
    """What the page is made from, and the command that runs this study."""
    files = " ".join(os.path.relpath(path) for path in map(str, workflow.configfiles))
    return in_file(
        json.dumps(table_inputs.page(plan, f"snakemake --cores all --configfile {files}"))
    )


rule finding:
    """The page of the study's question."""
    input:
        lambda wildcards: table_inputs.page_inputs(plan),
    output:
        page="<results>/finding.md",
    log:
        "<logs>/finding.log",
    params:
        code=[code("finding"), provenance.code("report.inputs:table")],
        arguments=lambda wildcards: page_of_study(),
    shell:
        r"""
        python -m coconut_study finding \
            --arguments {params.arguments:q} \
            --out {output.page:q} &>{log:q}
        """


rule findings:
    """The page of the study's question, if it has one."""
    input:
        ["<results>/finding.md"] if study.finding else [],
