"""The signature of a token request."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone

from shared.advoware.signature import sign, stamp, token_request
from shared.settings.advoware import AdvowareSettings
from shared.settings.base import read

KEY = base64.b64encode(b"a key with \x00 and \xff").decode()
NOW = datetime(2026, 11, 24, 5, 6, 7, 890123, tzinfo=UTC)
ENVIRONMENT = {
    "ADVOWARE_APP_ID": "app",
    "ADVOWARE_API_KEY": KEY,
    "ADVOWARE_KANZLEI": "Kanzlei Müller",
    "ADVOWARE_USER": "dienst",
    "ADVOWARE_PASSWORD": "geheim",
}


def test_the_signature_is_the_hmac_of_the_four_parts_under_the_decoded_key():
    expected = hmac.new(b"a key with \x00 and \xff", b"64:app:n-1:2026-11-24T05:06:07.890Z", hashlib.sha512).digest()
    assert sign(64, "app", "n-1", "2026-11-24T05:06:07.890Z", KEY) == base64.b64encode(expected).decode()


def test_a_timestamp_is_utc_with_milliseconds_and_a_z():
    assert stamp(NOW) == "2026-11-24T05:06:07.890Z"
    assert stamp(NOW.astimezone(timezone(timedelta(hours=1)))) == "2026-11-24T05:06:07.890Z"
    assert stamp(NOW.replace(microsecond=0)) == "2026-11-24T05:06:07.000Z"


def test_a_request_has_exactly_the_agreed_fields():
    body = token_request(read(AdvowareSettings, ENVIRONMENT), "n-1", NOW)
    assert body == {
        "AppID": "app",
        "Kanzlei": "Kanzlei Müller",
        "Database": "ADVOWARE",
        "User": "dienst",
        "Role": 2,
        "Product": 64,
        "Password": "geheim",
        "Nonce": "n-1",
        "HMAC512Signature": sign(64, "app", "n-1", "2026-11-24T05:06:07.890Z", KEY),
        "RequestTimeStamp": "2026-11-24T05:06:07.890Z",
    }


def test_a_setting_that_is_missing_is_sent_empty_instead_of_made_up():
    body = token_request(read(AdvowareSettings, {}), "n-1", NOW)
    assert (body["AppID"], body["Password"]) == ("", "")
    assert body["HMAC512Signature"] == sign(64, "", "n-1", "2026-11-24T05:06:07.890Z", "")
