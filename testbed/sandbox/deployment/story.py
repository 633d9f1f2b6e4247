"""The lifecycle of one deployment, step by step: each step does something real, shows it, and can fail.

What runs is what was synthesized and uploaded, and MiniStack's CloudFormation decides what follows a failure.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cli.doctor.finding import Verdict
from lambda_fn.contract.ecr_events import Action
from testbed.sandbox import installation, pulls
from testbed.sandbox.cloud.control import Control
from testbed.sandbox.commands import run
from testbed.sandbox.deployment import (
    cdk,
    checkout,
    configurations,
    entries,
    events,
    examination,
    native,
    observed,
    policy,
)
from testbed.sandbox.deployment.operator import Operator
from testbed.sandbox.installation import session
from testbed.sandbox.kubectl import kubectl_json
from testbed.sandbox.new_user import NewUser, read_catalogue
from testbed.sandbox.story import Lines, expect
from testbed.waiting import eventually

EDIT = "# added by the operator"
"""The line that the update adds to the nginx template."""
_FOLLOWED_WITHIN_SECONDS = 120
"""What the documents promise: the window in which Lambda collects events, its run, and the kubelet's period."""
_UNKNOWN = "provide credentials"
"""From kubectl's message when the API server does not know the caller."""


@dataclass
class Story(NewUser):
    """The steps in order; the operator holds the state between them."""

    operator: Operator = field(kw_only=True)

    def bootstrapped(self) -> Lines:
        """`cdk bootstrap`; the images go into the private ECR."""
        cdk.bootstrap(self.world)
        installation.push_images(self.world)
        reference, logged_in = self.world.app_image, installation.logged_in(self.world)
        self.operator.digest = run(("crane", "digest", reference), environment=logged_in).strip()
        yield f"{reference}@{self.operator.digest}"

    def failed_first(self) -> Lines:
        """A first deployment whose pods cannot start: it is rolled back; the namespace, its Secret and the log stay."""
        text = configurations.without_image(self.config.read_text(), self.world)
        yield from self.operator.fail_to_deploy("failed", text, configurations.NO_SUCH_TAG, "ROLLBACK_COMPLETE")
        yield from self.operator.read_log("Running command: ['kubectl', 'apply'")
        self.operator.expect_none("deployments,services")

    def deployed(self) -> Lines:
        """`cdk deploy` again: the uploaded kubectl applies the manifest, the uploaded Lambda makes the first run."""
        yield from self.operator.deploy("first", self.config.read_text())
        installation.point_domain_to_proxy(self.world)
        yield f"made: {', '.join(sorted(self.operator.stack.types()))}"
        yield from _runs_bundle()

    def listed(self) -> Lines:
        """The rule's target runs until the round of the catalogue is complete."""
        rule = self.operator.stack.physical("AWS::Events::Rule", "WatcherCatalogueRule")
        (target,) = session(self.world, "default").client("events").list_targets_by_rule(Rule=rule)["Targets"]
        yield from read_catalogue(lambda: self.operator.stack.invoke(target["Arn"], json.loads(target["Input"])))

    def commanded(self) -> Lines:
        """`frontdoor refresh --dry-run` runs the deployed Lambda, as its stack names it, and shows the report."""
        words = ("refresh", "--dry-run", "--json", "--config", self.operator.config)
        command = (sys.executable, "-m", "cli.command", *words)
        report = json.loads(run(command, environment=cdk.operator(self.world), directory=self.operator.checkout))
        whole = report["dry_run"] and report["pods_ready"] == report["pods_wanted"] and not report["rolled_out"]
        expect(whole, f"the report is {report}")
        yield f"a dry run would write {', '.join(report['changed']) or 'nothing'}"

    def scheduled(self) -> Lines:
        """Scheduler's target is invoked with Scheduler's event."""
        names = list(observed.schedules(self.world))
        expect(len(names) == 1, f"the schedules are {names}")
        yield from self.operator.run_schedule("Schedule")

    def followed(self) -> Lines:
        """ECR deletes an image, and imports it again: its events reach the watcher, and the pods follow."""
        host, repository, digest = self.world.ecr_host, self.world.app_repository, self.operator.digest
        Control().delete_image(host, repository, digest)
        events.send(self.world, self.operator.stack, Action.DELETE, digest)
        yield f"refused by every pod after {self._wait_for_pods(digest, 404):.0f} s: {digest}"
        Control().restore_image(host, repository, digest)
        events.send(self.world, self.operator.stack, Action.IMPORT, digest)
        yield f"served again after {self._wait_for_pods(digest, 200):.0f} s"

    def updated(self) -> Lines:
        """An update: another nginx template, domain and period, and a canary. The pods roll, and pulls go on."""
        before = installation.proxy_pods(self.world)
        self.operator.checkout = checkout.copy(self.world.run / "checkout")
        checkout.edit_template(self.operator.checkout, EDIT)
        with self.operator.pulling(self.world.domain) as tally:
            yield from self.operator.deploy("changed", configurations.changed(self._settings(), self.world))
        yield f"{tally.whole} pulls at {self.world.domain} during the update, all complete"
        after = installation.proxy_pods(self.world)
        expect(not set(before) & set(after), f"the Deployment did not roll: {before} became {after}")
        yield f"pods {', '.join(before)} became {', '.join(after)}"
        names = installation.settings(self.world).names
        for name in (names.template_config_map, names.config_map):
            text = kubectl_json("get", "configmap", name, "--namespace", self.world.namespace)["data"]
            expect(EDIT in json.dumps(text), f"ConfigMap {name} does not have the line {EDIT}")
        yield self.operator.pull(self.world.new_domain)

    def schedules_followed(self) -> Lines:
        """Both schedules are those of the new template, and their targets succeed."""
        periods = {configurations.PERIOD_MINUTES, configurations.CANARY_MINUTES}
        found = {one["ScheduleExpression"] for one in observed.schedules(self.world).values()}
        expect(found == {f"rate({minutes} minutes)" for minutes in periods}, f"the schedules are {found}")
        expect(self._canary_alarms(), f"no alarm is the canary's: {observed.alarms(self.world)}")
        yield from self.operator.run_schedule("Schedule")
        yield from self.operator.run_schedule("ScheduleCanary")

    def examined(self) -> Lines:
        """The doctor examines everything, with an operator's rights."""
        image = f"{self.world.app_repository}:{self.world.app_tag}"
        findings = examination.examine(self.world, self.operator.checkout, self.operator.config, image)
        yield from (finding.line for finding in findings)
        # The settings name no recipient of alarms.
        expected = ("alarms", Verdict.SKIPPED)
        not_ok = [
            one.line for one in findings if one.verdict is not Verdict.OK and (one.check, one.verdict) != expected
        ]
        expect(not not_ok, f"the doctor reports {not_ok}")
        looked_at = {one.check for one in findings}
        expect(looked_at >= examination.CHECKS, f"the doctor did not run the checks {examination.CHECKS - looked_at}")

    def refused(self) -> Lines:
        """An update whose manifest the API server refuses: it is rolled back. What kubectl says is in the log alone."""
        workload = installation.settings(self.world).names.workload
        few = policy.few_replicas(workload, configurations.TOO_MANY_REPLICAS - 1)
        text = configurations.refused(self._settings())
        with policy.enforced(self.world, few), self.operator.nothing_changes():
            yield from self.operator.fail_to_deploy("refused", text, observed.TOO_LONG, "UPDATE_ROLLBACK_COMPLETE")
        yield from self.operator.read_log(few.message)

    def stuck(self) -> Lines:
        """An update whose pods cannot start: its run fails, and it is rolled back."""
        text, why = configurations.stuck(self._settings(), self.world), configurations.NO_SUCH_TAG
        with self.operator.nothing_changes():
            yield from self.operator.fail_to_deploy("stuck", text, why, "UPDATE_ROLLBACK_COMPLETE")

    def outage(self) -> Lines:
        """An update while ECR is down, and still is during the rollback: the rollback completes."""
        text = configurations.other_period(self._settings())
        down = Control().behaviour().model_copy(update={"token_api_error": "ServerException"})
        with self.operator.nothing_changes(), Control().behaving(down):
            yield from self.operator.fail_to_deploy("outage", text, "ServerException", "UPDATE_ROLLBACK_COMPLETE")

    def continued(self) -> Lines:
        """An update while kubectl has no access, and none in the rollback: it is continued with the access."""
        text = configurations.refused(self._settings())
        role = self.operator.stack.physical("AWS::IAM::Role", "WorkloadRole")
        with self.operator.nothing_changes():
            with entries.withdrawn(self.world, f"arn:aws:iam::{self.world.account}:role/{role}"):
                yield from self.operator.fail_to_deploy("continued", text, _UNKNOWN, "UPDATE_ROLLBACK_FAILED")
            self.operator.stack.continue_rollback()
            yield "continue-update-rollback: UPDATE_ROLLBACK_COMPLETE"

    def canary_dropped(self) -> Lines:
        """An update without the canary: its schedule and its alarm are deleted, the others stay."""
        yield from self.operator.deploy("without-canary", configurations.without_canary(self._settings()))
        names = list(observed.schedules(self.world))
        expect(len(names) == 1 and "Canary" not in names[0], f"the schedules are {names}")
        expect(not self._canary_alarms(), f"alarms are left behind: {self._canary_alarms()}")
        yield f"schedules: {names[0]}; {len(observed.alarms(self.world))} alarms"

    def destroyed(self) -> Lines:
        """`cdk destroy`: everything is deleted except what docs/operations.md names."""
        yield from self.operator.destroy("deployments,services")

    def _wait_for_pods(self, digest: str, status: int) -> float:
        """How many seconds it took until every pod answers for the image with this status."""
        began = time.monotonic()
        path = f"manifests/{digest}"
        answered = eventually(
            lambda: pulls.statuses(self.world, path) == {status}, _FOLLOWED_WITHIN_SECONDS, pause_seconds=1
        )
        expect(answered, f"{pulls.statuses(self.world, path)} are the answers of the pods for {digest}, not {status}")
        return time.monotonic() - began

    def _settings(self) -> str:
        """The settings of the last deployment."""
        return self.operator.config.read_text()

    def _canary_alarms(self) -> list[str]:
        return [name for name in observed.alarms(self.world) if "Canary" in name]


def _runs_bundle() -> Lines:
    if native.is_the_lambdas_machine():
        yield "the Lambda's code: the uploaded bundle as it is"
    else:
        yield "the Lambda's code: the uploaded bundle, its compiled modules those of the same lock for this machine"


STEPS: tuple[Callable[[Story], Lines], ...] = (
    Story.bootstrapped,
    Story.initialized,
    Story.prepared,
    Story.checked,
    Story.failed_first,
    Story.deployed,
    Story.listed,
    Story.opened,
    Story.copied,
    Story.pulled,
    Story.measured,
    Story.reported,
    Story.commanded,
    Story.scheduled,
    Story.followed,
    Story.updated,
    Story.schedules_followed,
    Story.examined,
    Story.refused,
    Story.stuck,
    Story.outage,
    Story.continued,
    Story.canary_dropped,
    Story.destroyed,
)
"""The story of one deployment, in order."""
