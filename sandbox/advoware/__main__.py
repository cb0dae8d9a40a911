"""Serve the double of Advoware on its own: python -m sandbox.advoware --port 8092 --seed demo."""

import argparse
import threading
from datetime import datetime

from sandbox.advoware import Advoware
from sandbox.advoware.diary import BERLIN
from sandbox.seed import clients, firm
from sandbox.server import serve


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.advoware")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--seed", choices=("demo", "none"), default="none", help="demo: an invented firm of ten")
    options = parser.parse_args()
    advoware = Advoware()
    if options.seed == "demo":
        today = datetime.now(BERLIN).date()
        advoware.load(*firm(today=today), *clients(today=today))
    with serve(advoware, options.host, options.port) as server:
        print("\n".join(f"{name}={value}" for name, value in advoware.env(server.url).items()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
