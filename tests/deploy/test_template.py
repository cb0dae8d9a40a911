"""template.yaml says what the contract asks for, and every checker that there is lets it pass."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from conftest_tools import module
from sam import ROOT, TEMPLATE, events, functions, handler_of, source, translated

from functions import aws
from shared.events import topics

ENVIRONMENT = {"AWS_DEFAULT_REGION": "eu-central-1", "SAM_CLI_TELEMETRY": "0"}
NOT_PUBLIC = {"/calendar/cron", "/vmh/reconcile", "/threecx/reconcile", "/leads/maintenance", "/ops/relay"}
RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|\d{2,}) (minutes|hours|days))\)")
CRON = re.compile(r"cron\(\S+ \S+ \S+ \S+ \S+ \S+\)")


def lint(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    module("cfnlint")
    command = [str(Path(sys.executable).with_name("cfn-lint")), *more, str(path)]
    return subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False)


def of_kind(kind: str) -> list[tuple[str, dict, dict]]:
    found = [(handler_of(each), each, event) for each in functions().values() for event in events(each)]
    return [(handler, each, event["Properties"]) for handler, each, event in found if event["Type"] == kind]


def queues() -> dict[str, dict]:
    resources = source()["Resources"].items()
    return {name: each["Properties"] for name, each in resources if each["Type"] == "AWS::SQS::Queue"}


def queue_name(topic: str) -> str:
    urls = {name: value for each in functions().values() for name, value in variables(each).items()}
    return urls[f"EVENT_SQS_URL_{topic.replace('.', '_').upper()}"]["Ref"]


def variables(properties: dict) -> dict:
    return properties["Environment"]["Variables"]


def test_the_linter_finds_nothing_in_the_template():
    checked = lint(TEMPLATE)
    assert checked.returncode == 0, checked.stdout


def test_the_linter_finds_nothing_in_its_translation(tmp_path):
    (tmp_path / "plain.json").write_text(json.dumps(translated()))
    checked = lint(tmp_path / "plain.json", "-i", "W3037", "--")
    assert checked.returncode == 0, checked.stdout


def test_every_target_has_its_function_and_every_handler_exists():
    handlers = {handler_of(each) for each in functions().values()}
    assert handlers == {*aws.HTTP, *aws.SUBSCRIBERS, aws.SCHEDULE} - {"calendar_sync_cron", "leads_maintenance"}


def test_every_topic_has_a_queue_with_dead_letters_six_times_as_patient_as_its_function():
    for topic in topics.TOPICS:
        name = queue_name(topic)
        queue = queues()[name]
        readers = [each for _, each, event in of_kind("SQS") if event["Queue"]["Fn::GetAtt"][0] == name]
        assert len(readers) == 1, topic
        assert queue["VisibilityTimeout"] >= 6 * readers[0]["Timeout"], topic
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
        dead = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert queues()[dead]["MessageRetentionPeriod"] == 1209600


def test_every_queue_is_read_with_partial_answers_and_limited_concurrency():
    for _, each, event in of_kind("SQS"):
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert event["ScalingConfig"]["MaximumConcurrency"] >= 2
        assert each["Timeout"] <= 900


def test_http_functions_end_before_the_gateway_gives_up():
    for _, each, _ in of_kind("HttpApi"):
        assert each.get("Timeout", source()["Globals"]["Function"]["Timeout"]) < 30


def test_every_call_of_the_scheduler_is_there_with_expressions_that_aws_understands():
    rows = [
        (json.loads(event["Input"])["path"], event["ScheduleExpression"], event)
        for _, _, event in of_kind("ScheduleV2")
    ]
    assert sorted((path, expression) for path, expression, _ in rows) == [
        ("/calendar/cron", "cron(0 5 * * ? *)"),
        ("/calendar/cron", "rate(15 minutes)"),
        ("/leads/maintenance", "rate(1 hour)"),
        ("/ops/relay", "rate(1 minute)"),
        ("/threecx/reconcile", "rate(1 hour)"),
        ("/vmh/reconcile", "rate(10 minutes)"),
        ("/vmh/reconcile?full=true", "cron(30 2 * * ? *)"),
    ]
    for _, expression, event in rows:
        assert RATE.fullmatch(expression) or CRON.fullmatch(expression), expression
        if expression.startswith("cron"):
            assert event["ScheduleExpressionTimezone"] == "Europe/Berlin"


def test_routes_are_exact_paths_and_none_leads_to_what_only_the_scheduler_calls():
    paths = [event["Path"] for _, _, event in of_kind("HttpApi")]
    for path in paths:
        assert re.fullmatch(r"(/[a-z-]+)+(/\{(proxy\+|id|kuerzel)\})?(/recording)?", path), path
    assert NOT_PUBLIC.isdisjoint(paths)
    assert "/health" in paths  # where Kong asks whether the application lives
    assert source()["Resources"]["Api"]["Properties"]["StageName"] == "$default"


def test_no_secret_stands_in_the_template_and_each_function_gets_only_its_own():
    for name, each in functions().items():
        names = {ref["Ref"] for ref in variables(each)["BITBYLAW_SECRETS"]["Fn::Join"][1]}
        granted = set(re.findall(r"\$\{(\w+Secret)\}", json.dumps(each["Policies"])))
        assert names == granted, name
        assert not re.search(r"SECRET|PASSWORD|API_KEY|TOKEN", " ".join(set(variables(each)) - {"BITBYLAW_SECRETS"}))
    assert "LeadsSecret" not in json.dumps(functions()["AdvowareProxyFunction"])


def test_no_statement_allows_everything():
    text = json.dumps(translated()["Resources"])
    for statement in re.findall(r'"Action": (\[[^\]]*\]|"[^"]*")', text):
        assert '"*"' not in statement
        assert ":*" not in statement


def test_a_function_may_send_to_exactly_the_queues_that_it_knows():
    for name, each in functions().items():
        known = {value["Ref"] for key, value in variables(each).items() if key.startswith("EVENT_SQS_URL_")}
        text = json.dumps(each["Policies"])
        allowed = set(re.findall(r'"SQSSendMessagePolicy": \{"QueueName": \{"Fn::GetAtt": \["(\w+)"', text))
        assert known == allowed, name


def test_operators_see_and_redrive_the_dead_letters_of_every_topic():
    ops = next(each for each in functions().values() if handler_of(each) == "ops")
    text = json.dumps(ops["Policies"])
    for topic in topics.TOPICS:
        dead = queues()[queue_name(topic)]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert variables(ops)[f"EVENT_SQS_DEAD_URL_{topic.replace('.', '_').upper()}"]["Ref"] == dead
        assert f'{{"Fn::GetAtt": ["{dead}", "Arn"]}}' in text
    for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"):
        assert f"sqs:{action}" in text


def test_functions_reach_every_usual_port_of_an_upstream_and_redis_in_any_network():
    resources = source()["Resources"]
    out = resources["FunctionsSecurityGroup"]["Properties"]["SecurityGroupEgress"]
    assert {rule["FromPort"] for rule in out} == {443, 90, 465, 587, 5001}
    redis = resources["FunctionsToRedis"]["Properties"]
    assert (redis["FromPort"], redis["DestinationSecurityGroupId"]) == (6379, {"Ref": "RedisSecurityGroup"})


def test_redis_keeps_what_it_accepted_and_has_the_three_databases():
    resources = source()["Resources"]
    redis = resources["Redis"]["Properties"]
    assert resources["RedisParameters"]["Properties"]["Properties"]["maxmemory-policy"] == "noeviction"
    assert redis["NumCacheClusters"] >= 2
    assert redis["AutomaticFailoverEnabled"] is True
    assert "NumNodeGroups" not in redis
    assert source()["Globals"]["Function"]["Environment"]["Variables"]["REDIS_DURABILITY"] == "managed"


def test_age_and_dead_letters_of_every_queue_raise_an_alarm():
    alarms = [each["Properties"] for each in source()["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    watched = {(each["MetricName"], json.dumps(each["Dimensions"])) for each in alarms}
    for name, queue in queues().items():
        metric = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
        assert any(metric == found and f'"{name}"' in where for found, where in watched), name
    for queue in topics.QUEUES:
        for metric in ("bitbylaw_queue_oldest_seconds", "bitbylaw_dead_letters"):
            assert any(metric == found and f'"{queue}"' in where for found, where in watched), queue


def test_what_alarms_watch_exists_in_our_metrics():
    from shared import metrics

    alarms = [each["Properties"] for each in source()["Resources"].values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    names = {each["MetricName"] for each in alarms if each["Namespace"] == "bitbylaw"}
    assert names == {metrics.QUEUE_AGE._name, metrics.DEAD_LETTERS._name}


def test_the_image_has_the_stage_that_functions_are_built_from():
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    resources = source()["Resources"].values()
    targets = {
        each["Metadata"]["DockerBuildTarget"] for each in resources if "DockerBuildTarget" in each.get("Metadata", {})
    }
    assert targets <= set(stages)
