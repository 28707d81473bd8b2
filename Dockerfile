# One image for web, worker and beat. Built files (the embed script) are committed, so no Node is needed here.
FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/production.txt /tmp/production.txt
RUN python -m venv /venv && /venv/bin/pip install --require-hashes --only-binary :all: -r /tmp/production.txt

FROM python:3.11-slim-bookworm AS app
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app:/app/platform \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    VAR_DIR=/var/lib/chatkit-platform \
    SPOOL_DIR=/var/lib/chatkit-spool \
    CHAT_FILES_DIR=/var/lib/chatkit-files \
    STATIC_ROOT=/app/static
# A new named volume takes owner and mode of the directory that it is mounted over.
RUN useradd --system --uid 10001 --home-dir /var/lib/chatkit-platform --create-home app \
    && install --directory --owner app --mode 0700 /var/lib/chatkit-spool /var/lib/chatkit-files
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py ./
COPY platform platform
COPY tenants tenants
COPY sessions_api sessions_api
COPY chat_server chat_server
COPY widget widget
# Secrets of this one command only: none is needed to gather files, and none stays in the image.
RUN env $(python -m encryption.make_secrets) DATABASE_URL=sqlite:////tmp/none.sqlite3 python manage.py collectstatic --noinput --verbosity 0
USER app
EXPOSE 8000
# Forwarding headers are read by the gateway alone (TRUSTED_PROXY_COUNT); requests in flight get ten seconds when it stops.
# The empty log configuration leaves the lines to Django, which writes JSON.
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--lifespan", "on", "--no-proxy-headers", "--no-server-header", "--no-access-log", "--ws", "none", "--http", "config.http_protocol:BoundedHead", "--timeout-graceful-shutdown", "10", "--log-config", "platform/config/uvicorn_logging.json"]
