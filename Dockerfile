# One environment for all rules, from the pins of constraints.txt.
#   docker build -t coconut-study .                           CUDA comes with PyTorch
#   docker build -t coconut-study --build-arg PIP="--extra-index-url INDEX" .    a tenth of the size, without CUDA,
#                                                             where INDEX is PyTorch's index of CPU builds
#   docker run --rm --gpus all --shm-size 8g -v "$PWD:/study" coconut-study snakemake --cores all
# What is mounted at /study is what runs: this checkout, its results beside it.
FROM python:3.11-slim
ARG PIP=
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /study
WORKDIR /study
COPY pyproject.toml constraints.txt README.md LICENSE Snakefile ./
COPY src src
COPY workflow workflow
COPY config config
COPY profiles profiles
RUN pip install --no-cache-dir $PIP --constraint constraints.txt --editable .
CMD ["snakemake", "--cores", "all"]
