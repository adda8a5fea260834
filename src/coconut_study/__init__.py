"""The Coconut study: language models that reason in a continuous latent space (arXiv 2412.06769)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from coconut_study.models.model import Model

__all__ = ["load"]


def load(path: str | PathLike[str], revision: str | None = None) -> Model:
    """The trained model of the folder of a run or of a checkpoint, or of a repository on the Hugging Face hub
    (`revision`: a commit, branch or tag); see `models.model.load`.

    PyTorch is imported here.
    """
    from coconut_study.models import model

    return model.load(path, revision)
