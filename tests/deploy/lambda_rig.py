"""What tests of handlers share: events as Lambda hands them over, its poller, and secrets that must not show."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from runtime_api import Function

SECRETS = {
    "GATEWAY_SECRET": "gateway-secret-of-the-test",
    "ESPOCRM_WEBHOOK_SECRETS": "hook:espo-secret-of-the-test",
    "ADVOWARE_API_KEY": "c2VjcmV0LW9mLXRoZS10ZXN0",
    "VERMIETERHELDEN_WEBHOOK_SECRET": "leads-secret-of-the-test-0123456789",
    "LEAD_ENCRYPTION_KEY": "S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2V5S2U=",
    "THREECX_WEBHOOK_SECRET": "phone-secret-of-the-test",
    "THREECX_TEMPLATE_KEY": "template-key-of-the-test",
}
GATEWAY = {"x-gateway-secret": SECRETS["GATEWAY_SECRET"]}
UPDATE = "vmh.beteiligte.update"


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


def signed(body: str) -> str:
    key = SECRETS["ESPOCRM_WEBHOOK_SECRETS"].partition(":")[2].encode()
    digest = hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(f"hook:{digest}".encode()).decode()


def event_of(item: str) -> str:
    data = {"entity_id": item, "action": "update", "source": "espocrm"}
    return json.dumps({"specversion": "1.0", "id": item, "type": UPDATE, "source": "/x", "subject": item, "data": data})


def shows_nothing_secret(output: str) -> None:
    assert output
    for value in SECRETS.values():
        assert value.rpartition(":")[2] not in output
