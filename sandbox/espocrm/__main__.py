"""Serve the double of EspoCRM on its own: python -m sandbox.espocrm --port 8093 --webhooks-every 2."""

import argparse
import threading

from sandbox.espocrm import EspoCrm
from sandbox.server import serve


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.espocrm")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8093)
    parser.add_argument("--version", default="9.2.7", help="9.2.7 or 10.0.0: what becomes of refused connections")
    parser.add_argument("--webhooks-every", type=float, default=2.0, help="seconds between runs of the sending job")
    options = parser.parse_args()
    espocrm = EspoCrm(version=options.version)
    espocrm.sender.start(options.webhooks_every)
    with serve(espocrm, options.host, options.port) as server:
        somebody = {"PERSON_API_KEY": espocrm.user("person").api_key}
        settings = espocrm.env(server.url) | somebody
        print("\n".join(f"{name}={value}" for name, value in settings.items()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
