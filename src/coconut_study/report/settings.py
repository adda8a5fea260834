"""How results are summed up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from coconut_study.common.settings import Closed


class Tables(Closed):
    """How results are summed up."""

    worked: Annotated[
        float, Field(ge=0, le=100, description="right answers (%) from which a seed counts as worked")
    ]
