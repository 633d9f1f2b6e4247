"""The reference configurations, each deployed, run and destroyed; and a cluster that is gone before the stack."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from cli.doctor.finding import Verdict
from testbed.sandbox import binding, gateway_api, installation
from testbed.sandbox.commands import run
from testbed.sandbox.deployment import examination, network, observed, policy, references
from testbed.sandbox.deployment.cdk import ROOT
from testbed.sandbox.deployment.operator import Operator
from testbed.sandbox.errors import SandboxError
from testbed.sandbox.installation import session
from testbed.sandbox.kubectl import kubectl_apply
from testbed.sandbox.story import Lines, expect
from testbed.sandbox.world import World

_OBJECTS = "deployments,services"
_TYPE = re.compile(r"^\| `((?:AWS|Custom)::[\w:-]+)`", re.MULTILINE)


class References:
    """The steps in order.

    Attributes:
        made: Every type that one of them has made.
    """

    def __init__(self, world: World) -> None:
        self._world, self._operator = world, Operator(world)
        self.made: set[str] = set()

    def smallest(self) -> Lines:
        """The smallest configuration, without a VPC."""
        yield from self._deployed("smallest", references.SMALLEST)
        yield from self._operator.destroy(_OBJECTS)

    def undeleted(self) -> Lines:
        """The cluster refuses to delete the pods: `make destroy` names them and fails, until that has an end."""
        yield from self._deployed("undeleted", references.SMALLEST)
        workload = installation.settings(self._world).names.workload
        with policy.enforced(self._world, policy.no_deletion(workload)):
            yield from self._operator.fail_to_destroy(f"Deployment {workload} (not deleted). Pods that serve there")
        run(("kubectl", "delete", "deployment", workload, "--namespace", self._world.namespace))
        yield from examination.removed(self._world, self._operator.checkout, self._operator.config)

    def ingress(self) -> Lines:
        """`kind = "ingress"`."""
        yield from self._deployed("ingress", references.INGRESS)
        yield from self._operator.destroy(_OBJECTS)

    def gateway(self) -> Lines:
        """`kind = "gateway"`, on an API server that knows routes; no controller takes them up."""
        with gateway_api.defined():
            yield from self._deployed("gateway", references.GATEWAY)
            yield from self._operator.destroy(f"{_OBJECTS},httproutes")

    def namespaced(self) -> Lines:
        """`manifests = "namespaced"`, whose kubectl has rights that an administrator applies first."""
        config = self._configuration("namespaced", references.NAMESPACED)
        access = self._charts(config, "--access")
        kubectl_apply(access)
        yield from self._deployed("namespaced", references.NAMESPACED)
        yield from self._operator.destroy("deployments")
        self._delete("roles,rolebindings,services,networkpolicies")

    def external(self) -> Lines:
        """`manifests = "external"`: the charts are applied and deleted by hand, the Lambda is run by hand."""
        config = self._configuration("external", references.EXTERNAL)
        yield from self._operator.deploy("external", config.read_text())
        kubectl_apply(self._charts(config))
        function = self._operator.stack.physical("AWS::Lambda::Function", "RefresherFunction")
        payload, error = self._operator.stack.invoke(function, {})
        expect(error is None, f"the run failed: {error}")
        yield json.dumps(payload)
        self._delete(_OBJECTS)
        yield from self._operator.destroy(_OBJECTS)

    def mirrors(self) -> Lines:
        """Cache rules with their templates, which the check reads, and managed policies; destroyed, no rule is left."""
        reference = references.mirrors(self._world)
        yield from self._deployed("mirrors", reference)
        yield f"cache rules: {self._cache_rules('docker-hub', 'k8s')}"
        config = self._configuration("mirrors", reference)
        yield from self._checked_rules(config, Verdict.OK, Verdict.OK)
        config.write_text(config.read_text().replace('"registry.k8s.io"', '"public.ecr.aws"'))
        yield from self._checked_rules(config, Verdict.OK, Verdict.FAILED)
        yield from self._operator.destroy(_OBJECTS)
        self._cache_rules()

    def load_balancer(self) -> Lines:
        """`kind = "nlb"`, protected, with certificate, alias, endpoints, `encryption = "stack"`, mail and canary."""
        kubectl_apply(json.dumps(binding.AWS_LOAD_BALANCER_CONTROLLER))
        yield from self._deployed("nlb", network.load_balancer(self._world))
        arn = self._operator.stack.physical("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerNlb")
        expect(network.is_protected(self._world, arn), "the load balancer has no deletion protection")
        yield from self._operator.destroy(_OBJECTS)

    def every_type(self) -> Lines:
        """Every resource type of docs/permissions.md was made by one of them."""
        documented = set(_TYPE.findall((ROOT / "docs" / "permissions.md").read_text()))
        expect(documented, "docs/permissions.md names no type")
        expect(documented <= self.made, f"not made: {sorted(documented - self.made)}")
        yield f"{len(documented)} types"

    def cluster_gone(self) -> Lines:
        """The cluster is deleted before the stack: `cdk destroy` fails, FORCE_DELETE_STACK deletes the rest."""
        yield from self._deployed("gone", references.SMALLEST)
        session(self._world, "default").client("eks").delete_cluster(name=self._world.cluster)
        try:
            list(self._operator.destroy(_OBJECTS))
        except SandboxError:
            yield from self._operator.stack.failures()
        status = self._operator.stack.status()
        expect(status == "DELETE_FAILED", f"the stack is {status} instead of DELETE_FAILED")
        self._operator.stack.force_deletion()
        yield from (f"what stays: {kind} {names}" for kind, names in observed.left_behind(self._world).items())

    def _cache_rules(self, *prefixes: str) -> str:
        """The upstreams of ECR's cache rules, which have to be those of these prefixes."""
        rules = session(self._world, "default").client("ecr").describe_pull_through_cache_rules()
        upstreams = {one["ecrRepositoryPrefix"]: one["upstreamRegistryUrl"] for one in rules["pullThroughCacheRules"]}
        expect(set(upstreams) == set(prefixes), f"ECR has cache rules of {sorted(upstreams)}, not of {prefixes}")
        return json.dumps(upstreams)

    def _checked_rules(self, config: Path, *expected: Verdict) -> Lines:
        found = [one for one in examination.checked(self._world, config) if one.check == "cache-rules"]
        yield from (one.line for one in found)
        expect(tuple(one.verdict for one in found) == expected, f"not {expected}")

    def _deployed(self, name: str, reference: references.Reference) -> Lines:
        yield from self._operator.deploy(name, self._configuration(name, reference).read_text())
        types = self._operator.stack.types()
        self.made |= types
        yield f"made: {', '.join(sorted(types))}"
        yield from self._operator.run_schedule("Schedule", pulls=False)  # nothing leads to the domain

    def _configuration(self, name: str, reference: references.Reference) -> Path:
        sandbox = installation.settings_file(self._world, reference.more).read_text()
        config = self._world.run / f"{name}.toml"
        config.write_text(reference.settings(sandbox, network.cluster_keys(self._world)))
        return config

    def _charts(self, config: Path, *options: str) -> str:
        return run((sys.executable, "-m", "cli.command", "manifests", "--config", config, *options))

    def _delete(self, kinds: str) -> None:
        run(("kubectl", "delete", kinds, "--all", "--namespace", self._world.namespace))


STEPS: tuple[Callable[[References], Lines], ...] = (
    References.smallest,
    References.undeleted,
    References.ingress,
    References.gateway,
    References.namespaced,
    References.external,
    References.mirrors,
    References.load_balancer,
    References.every_type,
    References.cluster_gone,
)
"""In order: the last one leaves no cluster."""
