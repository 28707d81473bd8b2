"""What the demo consists of: ports, addresses, environment, tenants. Pure, but for reading the caller's environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
# For a tenant with a real key, unless OPENAI_MODEL names another.
DEFAULT_MODEL = "gpt-5-mini"


@dataclass(frozen=True)
class DemoTenant:
    """One demo customer: its website's port, the key that it registers with, and who serves its chats.

    With a workflow OpenAI does (`hosted_workflow`), with a model the platform itself.
    """

    name: str
    slug: str
    port: int
    accent: str
    upstream: str
    key: str
    workflow: str = ""
    model: str = ""

    @property
    def backend(self) -> str:
        return "platform" if self.model else "hosted_workflow"

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


@dataclass(frozen=True)
class Layout:
    """Everything that stands where: `port` and the ports after it, files under `var`."""

    port: int
    var: Path
    real_key: str = ""
    real_workflow: str = ""
    real_model: str = DEFAULT_MODEL

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Layout":
        text = environment.get("PORT") or "8000"
        if not text.isdecimal() or not 1024 <= int(text) <= 65000:
            raise SystemExit(f"PORT={text} is not a port between 1024 and 65000. Try: PORT=18000 make demo")
        real_key, real_workflow = environment.get("OPENAI_API_KEY", ""), environment.get("OPENAI_WORKFLOW_ID", "")
        if real_workflow and not real_key:
            raise SystemExit(
                "OPENAI_WORKFLOW_ID needs OPENAI_API_KEY: set both for a tenant at the real OpenAI, or neither."
            )
        if real_workflow and not real_workflow.startswith("wf_"):
            raise SystemExit("OPENAI_WORKFLOW_ID is no workflow ID: it starts with wf_ (Agent Builder, Publish).")
        return cls(
            port=int(text),
            var=Path(environment.get("VAR_DIR") or ROOT / "var").resolve(),
            real_key=real_key,
            real_workflow=real_workflow,
            real_model=environment.get("OPENAI_MODEL") or DEFAULT_MODEL,
        )

    @property
    def platform(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def preview_port(self) -> int:
        return self.port + 1

    @property
    def preview(self) -> str:
        # Another name as well as another port: cookies ignore ports.
        return f"http://preview.localhost:{self.preview_port}"

    @property
    def sandbox_port(self) -> int:
        return self.port + 2

    @property
    def sandbox(self) -> str:
        return f"http://{LOOPBACK}:{self.sandbox_port}"

    @property
    def stranger_port(self) -> int:
        return self.port + 5

    @property
    def react_port(self) -> int:
        return self.port + 6

    @property
    def react_build(self) -> Path | None:
        """The built React example, where `make frontend` has made it."""
        build = ROOT / "frontend" / "react" / "dist"
        return build if (build / "index.html").is_file() else None

    @property
    def ports(self) -> dict[int, str]:
        """Each port that must be free, and what will answer there."""
        ports = {
            self.port: "the platform",
            self.preview_port: "the preview host",
            self.sandbox_port: "the sandbox OpenAI",
            self.stranger_port: "the stranger's page",
        }
        ports.update({tenant.port: f"{tenant.name}'s page" for tenant in self.tenants})
        if self.react_build:
            ports[self.react_port] = "the React example"
        return ports

    @property
    def tenants(self) -> list[DemoTenant]:
        # The sandbox takes any key and workflow of these prefixes as valid; nothing here opens anything at OpenAI.
        tenants = [
            DemoTenant(
                "Alder Books",
                "alder",
                self.port + 3,
                "#0f766e",
                "sandbox",
                "sk-sandbox-" + "alder" * 4,
                "wf_sandbox_alder",
            ),
            DemoTenant(
                "Birch Bikes",
                "birch",
                self.port + 4,
                "#b45309",
                "sandbox",
                "sk-sandbox-" + "birch" * 4,
                "wf_sandbox_birch",
            ),
            DemoTenant(
                "Cedar Cycles",
                "cedar",
                self.port + 7,
                "#be123c",
                "sandbox",
                "sk-sandbox-" + "cedar" * 4,
                model="gpt-sandbox",
            ),
        ]
        real = partial(DemoTenant, accent="#4338ca", upstream="openai", key=self.real_key)
        if self.real_workflow:
            tenants.append(real("Your OpenAI", "real", self.port + 8, workflow=self.real_workflow))
        if self.real_key:
            tenants.append(real("Your OpenAI, served here", "real-platform", self.port + 9, model=self.real_model))
        return tenants

    def environment(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """The environment of every child: the caller's without OpenAI's variables, which must not leak into tenants' calls."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        return {
            **inherited,
            **secrets,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings.development",
            "VAR_DIR": str(self.var),
            "DATABASE_URL": f"sqlite:///{self.var / 'db.sqlite3'}",
            "REDIS_URL": "",
            "CELERY_BROKER_URL": "filesystem://",
            "PLATFORM_URL": self.platform,
            "PREVIEW_ORIGIN": self.preview,
            "ALLOWED_HOSTS": f"{LOOPBACK},localhost,preview.localhost",
            "OPENAI_BASE_URLS": f"sandbox={self.sandbox}/v1,openai=https://api.openai.com/v1",
            "CHATKIT_JS_URLS": "openai=https://cdn.platform.openai.com/deployments/chatkit/chatkit.js,"
            f"sandbox={self.sandbox}/chatkit.js",
            # Visitors' files come from ChatKit's frame: OpenAI's, or the stand-in's.
            "CHATKIT_FRAME_ORIGINS": f"https://cdn.platform.openai.com,{self.sandbox}",
            # Short, so that a key killed in the sandbox shows while one watches.
            "CHECK_INTERVAL": os.environ.get("CHECK_INTERVAL", "15"),
        }
