"""What a proof ran on: processor, memory, versions."""

import os
import platform
import sqlite3
from pathlib import Path

import psycopg
import redis


def describe_machine() -> dict[str, str | int]:
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory": _field(Path("/proc/meminfo"), "MemTotal"),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def services(database_url: str, redis_url: str) -> dict[str, str]:
    """The versions of PostgreSQL and Redis; empty unless both answer."""
    server = database_url.rpartition("/")[0] + "/postgres"
    try:
        with psycopg.connect(server, connect_timeout=2) as connection:
            version = connection.info.parameter_status("server_version") or ""
        with redis.Redis.from_url(redis_url, socket_connect_timeout=2) as client:
            return {"postgresql": version, "redis": str(client.info("server")["redis_version"])}
    except (psycopg.OperationalError, redis.RedisError):
        return {}


def _field(file: Path, name: str) -> str:
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
