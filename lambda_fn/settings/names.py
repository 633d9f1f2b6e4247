"""The names of the objects in the cluster, as an operator sets them. Pure."""

from typing import Self

from pydantic import model_validator

from lambda_fn.contract.objects import catalogue_config_maps, hints_config_map, page_config_map
from lambda_fn.settings.fields import Group, ObjectName
from lambda_fn.settings.table import Table


class Names(Table):
    """The names of the objects in the cluster. Change them only to match an existing installation."""

    template_config_map: ObjectName = "aws-registry-proxy-tpl"
    """The ConfigMap with the nginx template, written by the chart; operators may edit it."""
    scripts_config_map: ObjectName = "aws-registry-proxy-scripts"
    """The ConfigMap with the njs modules, written by the chart."""
    config_map: ObjectName = "aws-registry-proxy-config"
    """The ConfigMap with the rendered configuration, written by the Lambda."""
    secret: ObjectName = "aws-registry"  # noqa: S105 - the object's name
    """The pull secret, written by the Lambda; the pods' image pull secret and the proxy's credential."""
    workload: ObjectName = "aws-registry-proxy"
    """The Deployment, Service, Ingress, PodDisruptionBudget and NetworkPolicy."""
    group: Group | None = None
    """The Kubernetes group of the Lambda's access entry, and the subject of the RoleBinding. By default
    `ecr-frontdoor:refresher:` and the namespace, because groups are cluster-wide.
    """

    @model_validator(mode="after")
    def _each_config_map_has_its_own_name(self) -> Self:
        names = (self.template_config_map, self.scripts_config_map, self.config_map)
        if len(set(names)) < len(names):
            raise ValueError(
                "template_config_map, scripts_config_map and config_map must differ: one would overwrite another"
            )
        own = {hints_config_map(self.workload), page_config_map(self.workload)}
        if taken := own.union(catalogue_config_maps(self.workload).values()).intersection(names):
            raise ValueError(
                f"{', '.join(sorted(taken))} is a ConfigMap of ecr-frontdoor, named after workload: give "
                "template_config_map, scripts_config_map and config_map other names"
            )
        return self
