"""The stack in an emulated AWS: queues of the template, functions under AWS's runtime client, a real Redis."""

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
from redis_server import free_port
from redis_server import running as running_redis
from runtime_api import FailedError, Function, running
from sam import PARAMETERS, translated

from shared.state import connection
from shared.state.queue import PARTIES, WorkQueue

NOT_IN_MOTO = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Scheduler::Schedule",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::EC2::SecurityGroup",
    "AWS::CloudWatch::Alarm",
    "AWS::Logs::LogGroup",
}
SECRETS = {
    "GATEWAY_SECRET": "gateway-secret-of-the-test",
    "ESPOCRM_WEBHOOK_SECRETS": "hook:espo-secret-of-the-test",
    "ADVOWARE_API_KEY": "c2VjcmV0LW9mLXRoZS10ZXN0",
}
NINE = [f"{n}b04f6cb7536b613d" for n in range(9)]
UPDATE = "vmh.beteiligte.update"


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with running_redis() as server:
        yield server.url


@pytest.fixture(scope="module")
def client(moto):
    import boto3

    def make(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name="eu-central-1", endpoint_url=moto, **keys)

    return make


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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
    }


@pytest.fixture
def parties(redis_url) -> WorkQueue:
    connection.connect(redis_url, 1).flushall()
    return WorkQueue(connection.connect(redis_url, 1), PARTIES, outbox=True)


def http_event(method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> dict:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "api.example", "content-type": "application/json", **(headers or {})},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }


class Poller:
    """Does what Lambda's poller does: receive, invoke, delete what is not named as failed."""

    def __init__(self, sqs: Any, url: str, function: Function) -> None:
        self.sqs, self.url, self.function = sqs, url, function

    def round(self) -> int:
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        messages = found.get("Messages", [])
        if not messages:
            return 0
        records = [{"messageId": each["MessageId"], "body": each["Body"]} for each in messages]
        answer = self.function.invoke({"Records": records})
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for each in messages:
            if each["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return len(messages)


def test_the_templates_functions_and_roles_can_be_created(client):
    plain = json.loads(json.dumps(translated()))
    plain["Resources"] = {name: each for name, each in plain["Resources"].items() if each["Type"] not in NOT_IN_MOTO}
    plain.pop("Outputs")
    for each in plain["Resources"].values():
        if each["Type"] == "AWS::Lambda::Function":
            each["Properties"].pop("VpcConfig", None)
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()]
    client("cloudformation").create_stack(
        StackName="whole",
        TemplateBody=json.dumps(plain, default=str).replace('"DependsOn"', '"XDependsOn"'),
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM"],
    )
    made = client("cloudformation").describe_stacks(StackName="whole")["Stacks"][0]
    assert made["StackStatus"] == "CREATE_COMPLETE"
    wanted = [each for each in plain["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    assert len(client("lambda").list_functions(MaxItems=100)["Functions"]) == len(wanted)


def test_a_webhook_becomes_one_message_in_the_queue_of_its_topic(environ, parties, client):
    sqs, url = client("sqs"), environ["EVENT_SQS_URL_VMH_BETEILIGTE_CREATE"]
    body = json.dumps([{"id": NINE[0]}])
    gateway = {"x-gateway-secret": SECRETS["GATEWAY_SECRET"]}
    module("awslambdaric")
    with running("functions.aws.vmh_webhooks", **environ) as function:
        refused = function.invoke(http_event("POST", "/vmh/webhook/beteiligte/create", body))
        answer = function.invoke(
            http_event("POST", "/vmh/webhook/beteiligte/create", body, gateway | {"signature": _signed(body)})
        )
        healthy = function.invoke(http_event("GET", "/health"))
    assert refused["statusCode"] == 401
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["new"] == [NINE[0]]
    assert healthy["statusCode"] == 200
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["data"]["entity_id"] == NINE[0]
    assert parties.stats().unsent == 0
    _shows_nothing_secret(function.output)


def _signed(body: str) -> str:
    import base64
    import hashlib
    import hmac

    key = SECRETS["ESPOCRM_WEBHOOK_SECRETS"].partition(":")[2].encode()
    digest = hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(f"hook:{digest}".encode()).decode()


def test_one_poison_message_ends_in_the_dead_letter_queue_while_nine_pass(environ, parties, client, stack):
    sqs, url = client("sqs"), environ["EVENT_SQS_URL_VMH_BETEILIGTE_UPDATE"]
    dead = stack["PartyUpdateDeadLetters"]
    for n, each in enumerate(NINE):
        sqs.send_message(QueueUrl=url, MessageBody=_event(each))
        if n == 4:
            sqs.send_message(QueueUrl=url, MessageBody="poison")
    module("awslambdaric")
    with running("functions.aws.beteiligte_sync", **environ) as function:
        poller = Poller(sqs, url, function)
        rounds = [poller.round() for _ in range(7)]
    assert rounds == [10, 1, 1, 1, 1, 0, 0]
    (letter,) = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]
    assert letter["Body"] == "poison"
    _shows_nothing_secret(function.output)


def test_what_fails_for_now_is_announced_again_and_its_figures_are_printed_for_cloudwatch(environ, parties, client):
    sqs, url = client("sqs"), environ["EVENT_SQS_URL_VMH_BETEILIGTE_UPDATE"]
    sqs.purge_queue(QueueUrl=url)
    parties.add("update", [NINE[0]])
    module("awslambdaric")
    with running("functions.aws.beteiligte_sync", **environ) as function:
        answer = function.invoke({"Records": [{"messageId": "m", "body": _event(NINE[0])}]})
    assert answer == {"batchItemFailures": []}
    assert parties.stats().delayed == 1
    ends, found = time.monotonic() + 10, []
    while not found and time.monotonic() < ends:
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
    assert json.loads(found[0]["Body"])["subject"] == NINE[0]
    documents = [json.loads(line) for line in function.output.splitlines() if line.startswith('{"_aws"')]
    work = [each for each in documents if "bitbylaw_work_total" in each]
    assert [(each["topic"], each["outcome"], each["bitbylaw_work_total"]) for each in work] == [(UPDATE, "delayed", 1)]


def test_a_schedule_runs_its_path_and_a_failing_one_is_a_failed_invocation(environ, parties, client):
    sqs, url = client("sqs"), environ["EVENT_SQS_URL_VMH_BETEILIGTE_DELETE"]
    parties.add("delete", [NINE[3]])
    connection.connect(environ_redis(parties), 1).zadd("vmh:beteiligte:unsent", {f"delete|{NINE[3]}": 1})
    module("awslambdaric")
    with running("functions.aws.schedule", **environ) as function:
        relayed = function.invoke({"path": "/ops/relay"})
        with pytest.raises(FailedError, match="ScheduleFailedError"):
            function.invoke({"path": "/ops/nothing"})
    assert relayed == {"relayed": 1, "unsent": 0}
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["subject"] == NINE[3]
    depth = [json.loads(line) for line in function.output.splitlines() if '"bitbylaw_queue_depth"' in line]
    assert {each["queue"] for each in depth if each["bitbylaw_queue_depth"] == 1} == {"vmh:beteiligte"}


def environ_redis(parties: WorkQueue) -> str:
    options = parties._client.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}"


def test_a_production_start_with_an_unsafe_setting_is_refused(environ):
    module("awslambdaric")
    without = environ | {"BITBYLAW_SECRETS": "", "GATEWAY_SECRET": "", "ESPOCRM_WEBHOOK_SECRETS": ""}
    with running("functions.aws.vmh_webhooks", **without) as function, pytest.raises(FailedError) as refused:
        function.next_answer(20)
    assert "start refused: GATEWAY_SECRET is missing; ESPOCRM_WEBHOOK_SECRETS is missing" in str(refused.value)


@pytest.mark.parametrize("handler", ["advoware_proxy", "calendar_sync_api", "calendar_push", "ops"])
def test_each_http_handler_answers_under_the_runtime_client(environ, handler):
    module("awslambdaric")
    with running(f"functions.aws.{handler}", **environ) as function:
        assert function.invoke(http_event("GET", "/health"))["body"] == '{"status": "ok"}'


@pytest.mark.parametrize("handler", ["calendar_sync_all", "calendar_sync_employee"])
def test_each_queue_handler_answers_under_the_runtime_client(environ, handler):
    module("awslambdaric")
    with running(f"functions.aws.{handler}", **environ) as function:
        answer = function.invoke({"Records": [{"messageId": "m", "body": "poison"}]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def _event(item: str) -> str:
    data = {"entity_id": item, "action": "update", "source": "espocrm"}
    return json.dumps({"specversion": "1.0", "id": item, "type": UPDATE, "source": "/x", "subject": item, "data": data})


def _shows_nothing_secret(output: str) -> None:
    assert output
    for value in SECRETS.values():
        assert value.rpartition(":")[2] not in output
