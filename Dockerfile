# One environment for all rules, with the versions of constraints.txt.
#
# With CUDA, which PyTorch includes:
#   docker build -t coconut-study .
# Without CUDA, a tenth of the size; INDEX is PyTorch's index of CPU builds:
#   docker build -t coconut-study --build-arg PIP="--extra-index-url INDEX" .
# Run the checkout in the current folder, which is mounted at /study and gets the results:
#   docker run --rm --gpus all --shm-size 8g -v "$PWD:/study" coconut-study snakemake --cores all
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
RUN pip install --no-cache-dir $PIP --constraint constraints.txt --editable '.[workflow,lora,hub]'
CMD ["snakemake", "--cores", "all"]
