"""Commands of manage.py beside a running demo, on its database and with its secrets."""

import json
import os
import subprocess
import sys

from tests.journeys.demo import ROOT, Demo


def manage(demo: Demo, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command of manage.py beside the running demo."""
    kept = json.loads((demo.var / "secrets.json").read_text())
    facts = demo.facts
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.endswith("_URL")},
            **{name: value for name, value in kept.items() if name != "ADMIN_PASSWORD"},
            "DJANGO_SETTINGS_MODULE": "config.settings.development",
            "VAR_DIR": str(demo.var),
            "PLATFORM_URL": facts["platform"],
            "OPENAI_BASE_URLS": f"openai=https://api.openai.com/v1,sandbox={facts['sandbox']}/v1",
            "CHATKIT_JS_URLS": f"openai=https://cdn.invalid/chatkit.js,sandbox={facts['sandbox']}/chatkit.js",
            "LOG_LEVEL": "DEBUG",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done
