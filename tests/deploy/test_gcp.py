"""The Terraform for Google Cloud: every name in it exists, and its doors open only to those that they should."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl
import pytest
from sam import events, functions, handler_of

from functions import aws
from shared.events import topics
from shared.settings.base import variables
from shared.startup import ONLY_WITH, SECRETS, every_model

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "gcp"
SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("google_schema.json").read_text())
META = {"for_each", "count", "depends_on", "provider", "lifecycle"}
sys.path.insert(0, str(ROOT / "deploy" / "image"))

import scheduler  # noqa: E402

CRON = {"*/15 * * * *": "15", "*/10 * * * *": "10", "0 * * * *": "60", "* * * * *": "1"}


@pytest.fixture(scope="module")
def blocks() -> list[hcl.Block]:
    return hcl.read(FOLDER)


@pytest.fixture(scope="module")
def terraform() -> str:
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("terraform comes from no package index that CI has")
    return found


@pytest.fixture(scope="module")
def values(terraform, tmp_path_factory) -> dict[str, Any]:
    """Let Terraform itself compute what the resources are made from; that needs no provider."""
    folder = tmp_path_factory.mktemp("locals")
    for name in ("variables.tf", "services.tf"):
        shutil.copy(FOLDER / name, folder)
    names = (
        "doors",
        "topics",
        "schedules",
        "secrets",
        "files",
        "settings",
        "seconds",
        "reads",
        "sends",
        "paths",
        "ingress",
        "open",
    )
    shown = "".join(f"  {name} = local.{name}\n" for name in names)
    (folder / "output.tf").write_text(f'output "all" {{\n  value = {{\n{shown}  }}\n}}\n')
    given = {"project": "p", "image": "i", "network": "n", "subnet": "s", "host": "app.example",
             "settings": {"common": {"LOG_LEVEL": "INFO"}, "advoware": {"ADVOWARE_KANZLEI": "k"}}}  # fmt: skip
    (folder / "terraform.tfvars.json").write_text(json.dumps(given))

    def run(*arguments: str) -> str:
        command = [terraform, f"-chdir={folder}", *arguments]
        environ = {**os.environ, "CHECKPOINT_DISABLE": "1"}
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environ).stdout

    run("init", "-backend=false", "-input=false")
    run("apply", "-auto-approve", "-input=false")
    return dict(json.loads(run("output", "-json"))["all"]["value"])


def resources(blocks: list[hcl.Block]) -> dict[str, hcl.Block]:
    prefixes = {"resource": "", "data": "data."}
    found = [each for each in blocks if each.kind in prefixes]
    return {f"{prefixes[each.kind]}{each.labels[0]}.{each.labels[1]}": each for each in found}


def test_terraform_reads_and_formats_it_the_same(terraform):
    subprocess.run([terraform, "fmt", "-check", str(FOLDER)], check=True, capture_output=True)


def test_every_reference_resolves_and_everything_declared_is_used(blocks):
    inputs = {f"var.{each.labels[0]}" for each in blocks if each.kind == "variable"}
    local = {f"local.{name}" for each in blocks if each.kind == "locals" for name in each.attributes}
    there = inputs | local | set(resources(blocks))
    texts = [text for block in blocks for each in block.walk() for text in each.attributes.values()]
    used = set().union(*map(hcl.references, texts))
    assert used <= there, used - there
    assert inputs | local <= used, (inputs | local) - used


def test_every_attribute_and_block_is_one_of_the_provider_and_none_that_it_needs_is_missing(blocks):
    for name, block in resources(blocks).items():
        schema = SCHEMA[name.rpartition(".")[0]]
        assert _misfits(block, schema, name) == []


def _misfits(block: hcl.Block, schema: dict[str, Any], where: str) -> list[str]:
    found = []
    given = set(block.attributes) - META
    for each in block.blocks:
        kind, inner = (each.labels[0], each.blocks[0]) if each.kind == "dynamic" else (each.kind, each)
        given.add(kind)
        known = schema.get(kind)
        if isinstance(known, dict):
            found += _misfits(inner, known["block"], f"{where}.{kind}")
        else:
            found.append(f"{where}: no block {kind}")
    found += [f"{where}: {name} is a block" for name in block.attributes if isinstance(schema.get(name), dict)]
    needed = {name for name, each in schema.items() if (each["required"] if isinstance(each, dict) else each)}
    return found + [f"{where}: unknown {name}" for name in given - set(schema)] + [
        f"{where}: {name} is missing" for name in needed - given
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('resource "google_pubsub_topic" "x" {\n  nam = "a"\n}', ["unknown nam", "name is missing"]),
        ('resource "google_pubsub_topic" "x" {\n  name = "a"\n  push_config {\n  }\n}', ["no block push_config"]),
        (
            'resource "google_pubsub_subscription" "x" {\n  name = "a"\n  topic = "b"\n  push_config {\n  }\n}',
            ["push_endpoint is missing"],
        ),
    ],
)
def test_the_check_of_attributes_finds_what_is_wrong(text, expected):
    (block,) = hcl.parse(text)
    found = _misfits(block, SCHEMA[block.labels[0]], "r")
    assert all(any(each in line for line in found) for each in expected), found


def test_every_target_has_a_door_and_every_topic_its_subscriber(values):
    assert {door["target"] for door in values["doors"].values()} == {*aws.HTTP, *aws.SUBSCRIBERS}
    assert set(values["topics"]) == set(topics.TOPICS)
    targets = {topic: values["doors"][door]["target"] for topic, door in values["topics"].items()}
    assert set(targets.values()) == set(aws.SUBSCRIBERS)
    assert all(not values["doors"][door]["open"] for door in values["topics"].values())


def test_the_schedule_is_that_of_the_other_ways_and_calls_closed_doors(values):
    found = []
    for each in values["schedules"].values():
        minute, hour = each["when"].split()[:2]
        found.append((each["path"], f"{int(hour):02}:{int(minute):02}" if hour.isdigit() else CRON[each["when"]]))
        assert not values["doors"][each["door"]]["open"]
    assert sorted(found) == sorted((call.path, call.at or str(call.minutes)) for call in scheduler.CALLS)


def test_a_door_knows_the_secrets_and_may_send_to_the_topics_that_its_function_on_aws_does(values):
    groups = {"AdvowareSecret": "advoware", "GoogleSecret": "google", "EspoCrmSecret": "espocrm",
              "LeadsSecret": "leads", "ThreecxSecret": "threecx"}  # fmt: skip
    ours = {name.replace("-", "_"): door for name, door in values["doors"].items()}
    queues = {f"EVENT_SQS_URL_{topic.replace('.', '_').upper()}": topic for topic in topics.TOPICS}
    renamed = {"calendar_sync_api": "calendar_api", "/calendar/cron": "calendar_cron",
               "/vmh/reconcile": "vmh_reconcile", "/threecx/reconcile": "threecx_reconcile",
               "/leads/maintenance": "leads_maintenance", "/ops/relay": "ops"}  # fmt: skip
    for function in functions().values():
        paths = [json.loads(e["Properties"]["Input"])["path"] for e in events(function) if e["Type"] == "ScheduleV2"]
        key = paths[0] if paths else handler_of(function)
        door = ours[renamed.get(key, key)]
        environ = function["Environment"]["Variables"]
        names = {ref["Ref"] for ref in environ["BITBYLAW_SECRETS"]["Fn::Join"][1]}
        assert set(door["groups"]) - {"ops"} == {groups[name] for name in names if name in groups}, key
        assert set(door["publishes"]) == {topic for name, topic in queues.items() if name in environ}, key


def test_every_door_has_what_a_production_start_of_its_folder_needs(values):
    for name, door in values["doors"].items():
        module = aws.HTTP.get(door["target"]) or aws.SUBSCRIBERS[door["target"]]
        source = (ROOT / (module.replace(".", "/") + ".py")).read_text()
        needed = {secret for secret in SECRETS if f'"{secret}"' in source and secret not in ONLY_WITH}
        assert needed | {"GATEWAY_SECRET", "REDIS_URL"} <= set(values["secrets"][name]), name


def test_each_secret_is_readable_by_those_that_are_given_it_only(values):
    given = {(name, secret) for name, secrets in values["secrets"].items() for secret in secrets}
    given |= {(name, each["secret"]) for name, files in values["files"].items() for each in files.values()}
    assert {(each["door"], each["secret"]) for each in values["reads"].values()} == given
    keys = {name for name, secret in given if secret == "GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"}
    assert keys == {name for name, door in values["doors"].items() if "google" in door["groups"]}
    assert {name for name, secret in given if secret == "LEAD_ENCRYPTION_KEY"} == {
        "leads", "leads-maintenance", "lead-intake"}  # fmt: skip


def test_every_setting_exists(values):
    known = {name for model in every_model() for name in variables(model)}
    named = {name for settings in values["settings"].values() for name in settings} - {"FUNCTION_TARGET"}
    named |= {name for secrets in values["secrets"].values() for name in secrets}
    assert named <= known, named - known


def test_a_run_ends_before_its_push_and_a_closed_door_believes_what_cloud_run_has_checked(values, blocks):
    for name, settings in values["settings"].items():
        assert settings["CALENDAR_RUN_LIMIT_SECONDS"] == "540"
        assert (settings.get("EVENT_OIDC_CHECKED_BY") == "platform") is not values["doors"][name]["open"]
    assert all(values["seconds"][door] == 600 for door in values["topics"].values())
    assert all(values["seconds"][each["door"]] <= 900 for each in values["schedules"].values())
    push = resources(blocks)["google_pubsub_subscription.push"]
    assert push.attributes["ack_deadline_seconds"] == "600"
    door = resources(blocks)["google_cloud_run_v2_service.door"]
    assert door.attributes["custom_audiences"] == "[ var . audience ]"  # else Cloud Run refuses our audience
    for name in ("google_pubsub_subscription.push", "google_cloud_scheduler_job.call"):
        tokens = [each for each in resources(blocks)[name].walk() if each.kind == "oidc_token"]
        assert [each.attributes["audience"] for each in tokens] == ["var . audience"]


def test_everybody_may_call_open_doors_only_and_pubsub_may_do_what_it_must(values, blocks):
    found = resources(blocks)
    assert set(values["open"]) == {name for name, door in values["doors"].items() if door["open"]}
    anybody = [each for each in found.values() if "allUsers" in each.attributes.get("member", "")]
    assert [each.labels[1] for each in anybody] == ["anybody"]
    assert anybody[0].attributes["for_each"] == "local . open"
    agent = {
        (name.partition(".")[0], each.attributes["role"].strip('"'))
        for name, each in found.items()
        if each.attributes.get("member") == "local . pubsub_agent"
    }
    assert agent == {
        ("google_service_account_iam_member", "roles/iam.serviceAccountTokenCreator"),
        ("google_pubsub_topic_iam_member", "roles/pubsub.publisher"),
        ("google_pubsub_subscription_iam_member", "roles/pubsub.subscriber"),
    }
    roles = {each.attributes["role"] for each in found.values() if "role" in each.attributes}
    assert not [role for role in roles if re.search(r"(owner|editor|admin)\"$", role, re.IGNORECASE)]


def test_open_doors_are_reached_through_the_balancer_only_and_each_path_by_its_own(values):
    from functions.app import FOLDERS

    places = {prefix: target for folder in FOLDERS for prefix, target in folder.prefixes.items()}
    for path, door in values["paths"].items():
        found = max((prefix for prefix in places if (path + "/").startswith(prefix + "/")), key=len)
        assert values["doors"][door]["target"] == places[found], path
    assert set(values["paths"].values()) == set(values["open"])
    assert {values["ingress"][name] for name in values["open"]} == {"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}
    reachable = {name for name, ingress in values["ingress"].items() if ingress == "INGRESS_TRAFFIC_ALL"}
    assert reachable == {"ops"}  # for operators, whom IAM lets in


def test_no_value_of_a_secret_stands_in_it():
    text = "".join(path.read_text() for path in FOLDER.glob("*.tf"))
    literals = set(re.findall(r'"([A-Za-z0-9+/_=-]{20,})"', text))
    assert not [each for each in literals if not re.fullmatch(r"[A-Z_]+|(roles|google|vmh|calendar)[\w/.-]+", each)]
