"""All settings, read from the environment: what varies by place is a variable here or in the parts beside this file."""

from datetime import date, timedelta
from typing import Any

from config.logs import logging_config
from config.settings.chat import *  # noqa: F403
from config.settings.chat import CHAT_CONNECTIONS, CHAT_FILES_STORAGE, SERVE_CHAT
from config.settings.console import *  # noqa: F403 the console's guard
from config.settings.environment import REQUIRE_HTTPS as REQUIRE_HTTPS
from config.settings.environment import ROOT as ROOT
from config.settings.environment import VAR_DIR as VAR_DIR
from config.settings.environment import directory, env, secret
from config.settings.limits import *  # noqa: F403
from config.settings.tasks import *  # noqa: F403

# --- Secrets that an operator gives -----------------------------------------------------------------------------------
SECRET_KEY = secret(
    "SECRET_KEY", cure="Make one with `python -m encryption.make_secrets` and keep it out of the repository."
)
MASTER_KEYS = secret(
    "MASTER_KEYS",
    cure="Make a ring with `python -m encryption.make_secrets`: 'id:base64 of 32 random bytes', comma-separated.",
)
SIGNING_KEYS = secret(
    "SIGNING_KEYS",
    cure="Make a ring with `python -m encryption.make_secrets`: 'id:base64 of 32 random bytes', comma-separated.",
)

# --- Where the platform lives -----------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
PLATFORM_URL: str = env.str("PLATFORM_URL", default="http://127.0.0.1:8000").rstrip("/")
# Preview pages load OpenAI's mutable third-party script, so they never share a host with the console that takes API keys.
PREVIEW_ORIGIN: str = env.str("PREVIEW_ORIGIN", default="http://preview.localhost:8001").rstrip("/")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# --- OpenAI: the operator's allow-list of places keys may be sent to; the first is the default ------------------------
OPENAI_BASE_URLS: dict[str, str] = env.dict("OPENAI_BASE_URLS", default={"openai": "https://api.openai.com/v1"})
CHATKIT_JS_URLS: dict[str, str] = env.dict(
    "CHATKIT_JS_URLS", default={"openai": "https://cdn.platform.openai.com/deployments/chatkit/chatkit.js"}
)
OPENAI_CA_FILE: str = env.str("OPENAI_CA_FILE", default="")
# The day from which "workflow not found" reads as "workflow retired" (OpenAI's deprecations page, Agent Builder).
SUNSET_DATE = date.fromisoformat(env.str("SUNSET_DATE", default="2026-11-30"))

# --- Retention: a year of session requests and a month to compare it with; 0 keeps them for ever ------------------------
LEDGER_RETENTION_DAYS = env.int("LEDGER_RETENTION_DAYS", default=400)

# --- Key health -------------------------------------------------------------------------------------------------------
CHECK_INTERVAL = timedelta(seconds=env.int("CHECK_INTERVAL", default=300))
CHECK_FULL_INTERVAL = timedelta(seconds=env.int("CHECK_FULL_INTERVAL", default=86400))

# --- Django -----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # Before Django's auth and axes, whose commands it replaces by audited ones, and its admin, whose templates it extends.
    "console.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "console.apps.ConsoleAdminConfig",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "encryption",
    "audit",
    "tenants",
    "gateway",
    "sessions_api",
    "chat_server",
    "widget",
    "key_health",
    "dashboards",
    "doctor",
]
MIDDLEWARE = [
    "gateway.middleware.ClientAddressMiddleware",
    "gateway.middleware.ConsoleTurnsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "console.sessions.SessionExpiryMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
# ChatKit's packages stamp naive local times, and Django sets TZ for the process: anything but UTC shifts them.
TIME_ZONE = "UTC"
USE_TZ = True

DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=20 + (CHAT_CONNECTIONS if SERVE_CHAT else 0))
# Of these the public door keeps for itself: epoch, three loaders, writer, replay, metrics, two for quotas, sign-out, two for
# known visitors, two for budgets. The console takes turns on the rest.
PUBLIC_DOOR_CONNECTIONS = 14 + (CHAT_CONNECTIONS if SERVE_CHAT else 0)
CONSOLE_CONCURRENCY = 0
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: what was answered survives a power cut. Rows are written in groups, so it costs 3 ms and no throughput.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
    }
else:
    # The stock door opens a thread, and so a connection, per request: only a pool bounds that (and it wants CONN_MAX_AGE 0).
    _database["CONN_MAX_AGE"] = 0
    CONSOLE_CONCURRENCY = max(1, DATABASE_POOL_SIZE - PUBLIC_DOOR_CONNECTIONS)
    # Without it the pool hands out, one after the other, every connection that a restart of PostgreSQL has killed.
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": DATABASE_POOL_SIZE,
            "timeout": 5,
            # The pool doubles the pause between its tries to connect, for 5 minutes, and nobody who asks meanwhile makes it
            # try sooner. Given up after 2 s, each who asks starts anew: the poll of the epoch does so all the time.
            "reconnect_timeout": 2,
        },
        "connect_timeout": 2,
        # A peer that vanished without a word is given up after 5 s; TCP's own patience is a quarter of an hour.
        "tcp_user_timeout": 5000,
        "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000",
    }

# Where session rows wait while the database takes none: 0700, on a disk that survives the process.
SPOOL_DIR = directory("SPOOL_DIR", default=VAR_DIR / "spool")
SPOOL_MAX_BYTES = env.int("SPOOL_MAX_BYTES", default=256 * 1024 * 1024)

REDIS_URL: str = env.str("REDIS_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if not REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 0.3, "socket_connect_timeout": 0.3},
    }
}

# --- Static files: hashed names, served by an ASGI mount (config/static.py) -------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = directory("STATIC_ROOT", default=VAR_DIR / "static")
STORAGES = {
    "default": CHAT_FILES_STORAGE,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

# --- The machines' API ------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["dashboards.api.authentication.OpsTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["dashboards.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "dashboards.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ChatKit platform: operations",
    "DESCRIPTION": "Read-only figures for machines. Authenticate with a scoped token made in the admin.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/ops",
    "ENUM_NAME_OVERRIDES": {
        "KeyVerdict": "tenants.models.Verdict",
        "WorstKeyState": "dashboards.api.serializers.WORST_KEY_STATES",
        "BrokenState": "dashboards.api.serializers.BROKEN_STATES",
        "TenantState": "tenants.models.TenantState",
    },
}

LOGGING = logging_config(level=env.str("LOG_LEVEL", default="INFO"))
LOGGING_CONFIG = "logging.config.dictConfig"
