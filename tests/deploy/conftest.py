"""One emulated AWS and one Redis for all tests of handlers here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest_tools import module
from lambda_rig import SECRETS
from redis_server import free_port
from redis_server import running as running_redis
from sam import PARAMETERS, translated

from shared.state import connection
from shared.state.queue import PARTIES, WorkQueue


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    module("moto")
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _wait(url: str) -> None:
    import requests

    ends = time.monotonic() + 30
    while True:
        try:
            requests.get(f"{url}/moto-api/", timeout=2)
            return
        except requests.ConnectionError:
            assert time.monotonic() < ends, "moto does not start"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with running_redis() as server:
        yield server.url


@pytest.fixture(scope="session")
def client(moto):
    import boto3

    def make(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name="eu-central-1", endpoint_url=moto, **keys)

    return make


@pytest.fixture(scope="session")
def stack(client) -> dict[str, str]:
    """Create what moto can of the translated template: queues with their dead letters."""
    plain = json.loads(json.dumps(translated()))
    kept = {name for name, each in plain["Resources"].items() if each["Type"] == "AWS::SQS::Queue"}
    plain["Resources"] = {name: plain["Resources"][name] for name in kept}
    plain.pop("Outputs")
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()]
    client("cloudformation").create_stack(StackName="b", TemplateBody=json.dumps(plain), Parameters=parameters)
    rows = client("cloudformation").describe_stack_resources(StackName="b")["StackResources"]
    return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}


@pytest.fixture(scope="session")
def environ(moto, redis_url, stack, client) -> dict[str, str]:
    arn = client("secretsmanager").create_secret(
        Name="bitbylaw/all", SecretString=json.dumps(SECRETS | {"REDIS_URL": redis_url})
    )["ARN"]
    queues = {op: stack[f"Party{op}Queue"] for op in ("Create", "Update", "Delete")}
    return {
        "AWS_ENDPOINT_URL": moto,
        "BITBYLAW_SECRETS": arn,
        "ENVIRONMENT": "production",
        "REDIS_DURABILITY": "managed",
        "EVENT_TRANSPORT": "sqs",
        "ADVOWARE_API_BASE_URL": "http://127.0.0.1:9/",
        "ESPOCRM_API_BASE_URL": "http://127.0.0.1:9/api/v1/",
        "ESPOCRM_API_KEY": "example",
        **{f"EVENT_SQS_URL_VMH_BETEILIGTE_{op.upper()}": url for op, url in queues.items()},
        "EVENT_SQS_URL_LEAD_RECEIVED": stack["LeadReceivedQueue"],
        "EVENT_SQS_URL_THREECX_CALL": stack["ThreecxCallQueue"],
        "EVENT_SQS_DEAD_URL_VMH_BETEILIGTE_UPDATE": stack["PartyUpdateDeadLetters"],
    }


@pytest.fixture
def parties(redis_url) -> WorkQueue:
    connection.connect(redis_url, 1).flushall()
    return WorkQueue(connection.connect(redis_url, 1), PARTIES, outbox=True)
