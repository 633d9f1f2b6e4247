"""Whether each replica has what its registry has: the doctor's check."""

from dataclasses import replace

from cli.doctor.checks import replicas

CHECK = replace(replicas.CHECK)
