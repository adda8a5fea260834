"""Parts of the study by name: what is measured of the runs of one data set, method or seed.

REQUIRED INPUTS:   none of their own
OUTPUTS:           none: the targets dataset_{dataset}, method_{method} and seed_{seed}
"""

PARTS = {}
for run in RUNS:
    for kind, value in zip(("dataset", "method", "seed"), run):
        PARTS.setdefault(f"{kind}_{value}", []).append(run)

for part, runs in PARTS.items():

    rule:
        name:
            part
        input:
            measured(runs),
