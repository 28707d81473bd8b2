"""What the bench runs on and with: processor, cores, how Python was built, versions of everything that takes part."""

import os
import platform
import ssl
import subprocess
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("django", "djangorestframework", "uvicorn", "uvloop", "httptools", "aiohttp", "redis", "hiredis", "psycopg"),
    *("requests", "urllib3", "gunicorn", "fastapi", "starlette", "httpx", "httpx2"),
    *("openai", "openai-agents", "openai-chatkit", "pydantic"),
)


def describe_machine(node: str = "") -> dict[str, object]:
    """`node` is the path of the Node that takes part, if one does."""
    return {
        "processor": _field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory": _field(Path("/proc/meminfo"), "MemTotal"),
        "system": platform.platform(),
        "load_before": list(os.getloadavg()),
        "python": platform.python_version(),
        "python_compiler": platform.python_compiler(),
        "python_build_flags": sysconfig.get_config_var("CONFIG_ARGS"),
        "python_optimization": sysconfig.get_config_var("OPT"),
        "openssl": ssl.OPENSSL_VERSION,
        "node": _version_of(node) if node else "takes no part",
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version_of(node: str) -> str:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 our own Node
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _field(file: Path, name: str) -> str:
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
