"""Serve the Google double: python -m sandbox.google --port 8091 --service-account-out var/sa.json."""

import argparse
import threading

from sandbox.google import Google, write_service_account
from sandbox.google.oauth import ACCOUNT
from sandbox.server import serve


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="sandbox.google", description="Stand in for Google Calendar on loopback.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--quota", type=int, default=600, help="units per minute and user, 0 = unlimited")
    parser.add_argument("--service-account-out", default="var/sa.json", help="where to write the key file")
    parser.add_argument("--email", default=ACCOUNT, help="the service account's address")
    parser.add_argument("--push", action="store_true", help="notify push channels of every change")
    args = parser.parse_args()
    google = Google(args.quota or None)
    google.auto_notify = args.push
    with serve(google, args.host, args.port) as server:
        google.office.trust(write_service_account(args.service_account_out, f"{server.url}/token", args.email))
        print(f"Google at {server.url}/calendar/v3/, key in {args.service_account_out}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
