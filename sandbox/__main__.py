"""`python -m sandbox --port 8002`: runs the sandbox until it is told to stop."""

from __future__ import annotations

import argparse
from pathlib import Path

from aiohttp import web

from sandbox.app import make_app
from sandbox.world import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for OpenAI's ChatKit API.")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", type=Path, help="keep keys (as fingerprints), sessions and threads in this file")
    options = parser.parse_args()
    world = World(options.state)
    url = f"http://{options.host}:{options.port}"
    try:
        web.run_app(
            make_app(world),
            host=options.host,
            port=options.port,
            access_log=None,
            shutdown_timeout=1,
            print=lambda *_: print(f"Sandbox of OpenAI: {url}/v1 (switches for its moods: {url}/)", flush=True),
        )
    except OSError as error:
        raise SystemExit(f"The sandbox cannot listen on {url}: {error.strerror}. Choose another with --port.") from None


if __name__ == "__main__":
    main()
