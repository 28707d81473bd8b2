"""`python -m sandbox.sites --config FILE`: serves the demo's websites until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from sandbox.sites.app import start_sites, stop_sites
from sandbox.sites.config import Site, read_sites


async def serve(sites: Sequence[Site]) -> None:
    try:
        runners = await start_sites(sites)
    except OSError as error:
        message = f"A demo site cannot listen: {error.strerror}. Move the demo: PORT=18000 make demo"
        raise SystemExit(message) from None
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    for site in sites:
        print(f"{site.title} ({site.kind}): {site.origin}/", flush=True)
    await stopped.wait()
    await stop_sites(runners)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.sites", description="The demo's websites.")
    parser.add_argument("--config", type=Path, required=True, help="JSON list of sites; see sandbox/sites/config.py")
    asyncio.run(serve(read_sites(parser.parse_args().config)))


if __name__ == "__main__":
    main()
