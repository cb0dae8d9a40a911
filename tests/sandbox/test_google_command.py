"""The Google double runs on its own and writes the key file that opens it."""

import subprocess
import sys

import google.auth.transport.requests
from google.oauth2 import service_account


def test_the_command_serves_and_writes_a_key_file(tmp_path):
    key_file = tmp_path / "sa.json"
    command = [sys.executable, "-m", "sandbox.google", "--port", "0", "--service-account-out", str(key_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().startswith("Google at http://127.0.0.1:")
            scopes = ["https://www.googleapis.com/auth/calendar"]
            credentials = service_account.Credentials.from_service_account_file(str(key_file), scopes=scopes)
            credentials.refresh(google.auth.transport.requests.Request())
            assert credentials.valid
        finally:
            process.terminate()
