"""Read and translate template.yaml as `sam deploy` would."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from conftest_tools import module

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
PARAMETERS = {"VpcId": "vpc-1", "Subnets": "subnet-1,subnet-2", "AlarmTopic": "arn:aws:sns:eu-central-1:123456789012:a"}
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/bitbylaw:1"


class NoPolicies:
    """The loader of managed policies, of which we use none."""

    def load(self) -> dict[str, str]:
        return {}


@functools.cache
def source() -> dict[str, Any]:
    """Read the template with its short tags in long form."""
    module("samtranslator")
    from samtranslator.yaml_helper import yaml_parse

    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


@functools.cache
def translated() -> dict[str, Any]:
    """Translate the template into plain CloudFormation."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    module("samtranslator")
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    document = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["ImageUri"] = IMAGE
            resource.pop("Metadata", None)
    return transform(document, dict(PARAMETERS), NoPolicies())


def functions() -> dict[str, dict[str, Any]]:
    """Give each function's properties."""
    resources = source()["Resources"].items()
    return {name: each["Properties"] for name, each in resources if each["Type"] == "AWS::Serverless::Function"}


def handler_of(properties: dict[str, Any]) -> str:
    """Name the handler of a function."""
    return str(properties["ImageConfig"]["Command"][0]).removeprefix("functions.aws.")


def events(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """List the events of a function."""
    return list(properties.get("Events", {}).values())
