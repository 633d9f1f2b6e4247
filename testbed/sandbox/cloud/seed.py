"""The content of a new AWS: the EKS cluster, and an operator who can assume roles."""

from configparser import ConfigParser
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from testbed.sandbox.cloud.endpoints import MOTO_URL
from testbed.sandbox.cloud.keyring import AccessKey
from testbed.sandbox.tools import KUBERNETES_VERSION
from testbed.sandbox.world import World

_OPERATOR = "operator"
_CLUSTER_ROLE = "cluster"
_REFRESHER_PROFILE = "refresher"


def seed(world: World) -> AccessKey:
    """Make it all in moto; returns the operator's access key."""
    client("eks", world.region).create_cluster(
        name=world.cluster,
        version=KUBERNETES_VERSION.removeprefix("v").rpartition(".")[0],
        roleArn=f"arn:aws:iam::{world.account}:role/{_CLUSTER_ROLE}",
        resourcesVpcConfig={},
        accessConfig={"authenticationMode": "API"},
    )
    iam = client("iam", world.region)
    operator = iam.create_user(UserName=_OPERATOR)["User"]
    key = iam.create_access_key(UserName=_OPERATOR)["AccessKey"]
    return AccessKey(key["AccessKeyId"], key["SecretAccessKey"], operator["Arn"])


def write_credentials(path: Path, operator: AccessKey, world: World) -> None:
    """A shared credentials file: profile `default` is the operator, `refresher` assumes the Lambda's role."""
    path.touch(mode=0o600)
    profiles = ConfigParser()
    key = {"aws_access_key_id": operator.id, "aws_secret_access_key": operator.secret}
    profiles["default"] = key | {"region": world.region}
    role = {"role_arn": world.refresher_role_arn, "source_profile": "default"}
    profiles[_REFRESHER_PROFILE] = role | {"region": world.region}
    with path.open("w") as file:
        profiles.write(file)


def client(service: str, region: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
    """A client of moto alone: no profile, proxy or endpoint of the caller's environment has a say."""
    alone = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return boto3.Session(botocore_session=alone).client(
        service,  # type: ignore[call-overload]  # one function for two services
        region_name=region,
        endpoint_url=MOTO_URL,
        config=Config(proxies={}),
        aws_access_key_id="AKIASEED",
        aws_secret_access_key="unchecked",  # noqa: S106  moto checks none
    )
