"""The stack in an emulated AWS: queues of the template, functions under AWS's runtime client, a real Redis."""

from __future__ import annotations

import json
import time

import pytest
from conftest_tools import module
from lambda_rig import GATEWAY, UPDATE, Poller, event_of, http_event, shows_nothing_secret, signed
from runtime_api import FailedError, running
from sam import PARAMETERS, events, functions, handler_of, translated

from functions.aws import SUBSCRIBERS
from shared.state import connection
from shared.state.queue import WorkQueue

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
NINE = [f"{n}b04f6cb7536b613d" for n in range(9)]
HTTP_HANDLERS = sorted(
    {handler_of(each) for each in functions().values() if any(event["Type"] == "HttpApi" for event in events(each))}
)


def environ_redis(parties: WorkQueue) -> str:
    options = parties._client.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}"


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
    module("awslambdaric")
    with running("functions.aws.vmh_webhooks", **environ) as function:
        refused = function.invoke(http_event("POST", "/vmh/webhook/beteiligte/create", body))
        answer = function.invoke(
            http_event("POST", "/vmh/webhook/beteiligte/create", body, GATEWAY | {"signature": signed(body)})
        )
        healthy = function.invoke(http_event("GET", "/health"))
    assert refused["statusCode"] == 401
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["new"] == [NINE[0]]
    assert healthy["statusCode"] == 200
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["data"]["entity_id"] == NINE[0]
    assert parties.stats().unsent == 0
    shows_nothing_secret(function.output)


def test_one_poison_message_ends_in_the_dead_letter_queue_while_nine_pass(environ, parties, client, stack):
    sqs, url = client("sqs"), environ["EVENT_SQS_URL_VMH_BETEILIGTE_UPDATE"]
    dead = stack["PartyUpdateDeadLetters"]
    for n, each in enumerate(NINE):
        sqs.send_message(QueueUrl=url, MessageBody=event_of(each))
        if n == 4:
            sqs.send_message(QueueUrl=url, MessageBody="poison")
    module("awslambdaric")
    with running("functions.aws.beteiligte_sync", **environ) as function:
        poller = Poller(sqs, url, function)
        rounds = [poller.round() for _ in range(7)]
    assert rounds == [10, 1, 1, 1, 1, 0, 0]
    (letter,) = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=0)["Messages"]
    assert letter["Body"] == "poison"
    shows_nothing_secret(function.output)
    with running("functions.aws.ops", **environ) as ops:
        shown = json.loads(ops.invoke(http_event("GET", "/ops/deadletters", headers=GATEWAY))["body"])["deadletters"]
        path = f"/ops/deadletters/{UPDATE}:{letter['MessageId']}"
        back = ops.invoke(http_event("POST", f"{path}/redrive", "{}", GATEWAY))
        after = json.loads(ops.invoke(http_event("GET", "/ops/deadletters", headers=GATEWAY))["body"])
    assert [(each["id"], each["error"]) for each in shown] == [(f"{UPDATE}:{letter['MessageId']}", "unreadable")]
    assert (back["statusCode"], json.loads(back["body"])["redriven"], after) == (200, True, {"deadletters": []})
    (again,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)["Messages"]
    assert again["Body"] == "poison"


def test_what_fails_for_now_is_announced_again_and_its_figures_are_printed_for_cloudwatch(environ, parties, client):
    sqs, url = client("sqs"), environ["EVENT_SQS_URL_VMH_BETEILIGTE_UPDATE"]
    sqs.purge_queue(QueueUrl=url)
    parties.add("update", [NINE[0]])
    module("awslambdaric")
    with running("functions.aws.beteiligte_sync", **environ) as function:
        answer = function.invoke({"Records": [{"messageId": "m", "body": event_of(NINE[0])}]})
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


def test_a_production_start_with_an_unsafe_setting_is_refused(environ):
    module("awslambdaric")
    without = environ | {"BITBYLAW_SECRETS": "", "GATEWAY_SECRET": "", "ESPOCRM_WEBHOOK_SECRETS": ""}
    with running("functions.aws.vmh_webhooks", **without) as function, pytest.raises(FailedError) as refused:
        function.next_answer(20)
    assert "start refused: GATEWAY_SECRET is missing; ESPOCRM_WEBHOOK_SECRETS is missing" in str(refused.value)


@pytest.mark.parametrize("handler", HTTP_HANDLERS)
def test_each_http_handler_answers_under_the_runtime_client(environ, handler):
    module("awslambdaric")
    with running(f"functions.aws.{handler}", **environ) as function:
        assert function.invoke(http_event("GET", "/health"))["body"] == '{"status":"ok"}'


@pytest.mark.parametrize("handler", sorted(SUBSCRIBERS))
def test_each_queue_handler_answers_under_the_runtime_client(environ, handler):
    module("awslambdaric")
    with running(f"functions.aws.{handler}", **environ) as function:
        answer = function.invoke({"Records": [{"messageId": "m", "body": "poison"}]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
