"""A mutant reaches what is rendered and what the charts write, and nothing of it stays."""

import subprocess
import sys

from testbed.mutants.rules import ROOT

PROGRAM = """
from testbed.mutants.configuration import NginxEdit
from testbed.mutants.manifest import ObjectEdit
from testbed.mutants.mutant import Mutant
from testbed.mutants.seam import Seam
seam = Seam()
seam.install()
from testbed.mutants.references import _SETTINGS, _VARIANTS, _product
from lambda_fn.settings import parse_toml
settings = parse_toml(_SETTINGS + _VARIANTS[0], "x")
edits = NginxEdit(nginx=("pid *",), remove=True), ObjectEdit(kind="Deployment", path="spec/replicas", value=77)
with seam.holding(Mutant(rule="R1", removed="something", edits=edits)):
    mutated = _product(settings)
whole = _product(settings)
assert "pid " not in mutated.configuration and "pid " in whole.configuration
replicas = [[o["spec"]["replicas"] for o in p.objects if o["kind"] == "Deployment"] for p in (mutated, whole)]
assert replicas[0] == [77] != replicas[1], replicas
"""


def test_a_mutant_is_in_the_product_only_for_a_while() -> None:
    """In a process of its own, in which the seam stays."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
