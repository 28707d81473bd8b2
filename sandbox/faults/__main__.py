"""`python -m sandbox.faults --port 9000`: the fault server by hand; `--list` shows the faults."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from sandbox.faults.server import FaultServer
from sandbox.faults.table import FAULTS


async def serve(port: int) -> None:
    server = FaultServer()
    try:
        await server.start(port=port)
    except OSError as error:
        raise SystemExit(f"Port {port} of 127.0.0.1: {error.strerror}. Choose another with --port.") from None
    print(f"Faults: http://127.0.0.1:{server.port}/<fault>/v1/… ({len(FAULTS)} of them: --list)", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.faults", description="A server that answers wrongly.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="show the faults and stop")
    options = parser.parse_args()
    if options.list:
        for fault in FAULTS.values():
            print(f"{fault.name:28} {fault.family:3} {fault.says}")
        return
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port))


if __name__ == "__main__":
    main()
