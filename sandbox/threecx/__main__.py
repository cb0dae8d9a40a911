"""Serve the 3CX double on its own: python -m sandbox.threecx --port 8094 [--v20]."""

import argparse
import threading

from sandbox.server import serve
from sandbox.threecx import ThreeCx, ThreeCxV20


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.threecx")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8094)
    parser.add_argument("--v20", action="store_true", help="a real 3CX v20 instead of the gateway contract")
    options = parser.parse_args()
    pbx = ThreeCxV20() if options.v20 else ThreeCx()
    with serve(pbx, options.host, options.port) as server:
        print("\n".join(f"{name}={value}" for name, value in pbx.env(server.url).items()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
