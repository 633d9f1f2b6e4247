"""Whether AWS accepts the operator's credentials: the doctor's check."""

from dataclasses import replace

from cli.doctor.checks import aws
from cli.preflight.checks import RUNBOOK

CHECK = replace(aws.CHECK, runbook=RUNBOOK)
