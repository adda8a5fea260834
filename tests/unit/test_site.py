"""The documentation site."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(find_spec("sphinx") is None, reason="Sphinx is not installed (the extra docs has it)")
def test_the_site_is_built_without_a_warning(tmp_path):
    """Every link between pages, picture, command and documented name is found."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "-q"]
    done = subprocess.run([*command, ROOT / "docs", tmp_path / "site"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
