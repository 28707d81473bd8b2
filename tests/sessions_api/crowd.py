"""`python -m tests.sessions_api.crowd PORT PATH ORIGIN PER_SECOND`: calls so often, whatever becomes of the calls before.

A process of its own, since its work must not count as the server's answering time. Each code that is seen for the first time is
printed; it ends when its standard input does.
"""

import asyncio
import json
import sys
from contextlib import suppress
from itertools import count

seen: set[str] = set()
callers = count()


async def call(port: int, path: str, origin: str) -> None:
    # Somebody else each time, whom our one trusted proxy saw.
    address = f"2001:db8:ffff:{next(callers):x}::1"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {origin}\r\nX-Forwarded-For: {address}\r\n"
        "Content-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    with suppress(ConnectionResetError):
        answer = json.loads((await reader.read()).partition(b"\r\n\r\n")[2] or b"{}")
        code = answer["error"]["code"] if "error" in answer else "granted"
        if code not in seen:
            seen.add(code)
            print(code, flush=True)
    writer.close()


async def keep_calling(port: int, path: str, origin: str, per_second: float) -> None:
    loop = asyncio.get_running_loop()
    over = loop.run_in_executor(None, sys.stdin.read)
    calls = set()
    while not over.done():
        task = asyncio.create_task(call(port, path, origin))
        calls.add(task)
        task.add_done_callback(calls.discard)
        await asyncio.sleep(1 / per_second)
    for task in calls:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(keep_calling(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])))
