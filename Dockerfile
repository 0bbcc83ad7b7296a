# ClearSplit: the server and its commands (serve, migrate, check-db, …) in one image.
#
#   docker build -t clearsplit .
#   docker run --rm clearsplit --help
#
# Two stages: the first has pip and builds, the second has neither. Nothing is compiled: every
# dependency is a wheel, named with its hash in requirements-server.txt, so both platforms
# (linux/amd64, linux/arm64) need no compiler. Dependabot pins PYTHON_IMAGE by digest.

ARG PYTHON_IMAGE=python:3.12-slim

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS builder

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /source

# /tools builds and installs, and is left behind; /app is what runs, and has no pip of its own.
RUN python -m venv /tools \
 && python -m venv --without-pip /app

COPY requirements-build.txt requirements-server.txt ./
RUN /tools/bin/pip install --require-hashes --only-binary=:all: -r requirements-build.txt \
 && /tools/bin/pip --python /app/bin/python install \
      --require-hashes --only-binary=:all: --no-deps -r requirements-server.txt

COPY pyproject.toml README.md LICENSE ./
COPY clearsplit_core clearsplit_core
COPY clearsplit_http clearsplit_http
COPY clearsplit_pg clearsplit_pg
COPY migrations migrations
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /tools/bin/pip --python /app/bin/python install --no-deps --no-index /wheels/*.whl


# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE}

# The base image brings pip along, and programs that run as root whoever starts them. Neither stays.
RUN find /usr/lib /usr/local/lib /usr/share/python-wheels -depth \
      \( -name ensurepip -o -name pip -o -name 'pip-*' -o -name setuptools -o -name 'setuptools-*' \
         -o -name wheel -o -name 'wheel-*' \) -path '*python*' -exec rm -rf {} + 2>/dev/null; \
    rm -rf /usr/bin/pip* /usr/local/bin/pip* /usr/local/bin/wheel /root/.cache \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && groupadd --gid 10001 appuser \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin appuser

COPY --from=builder /app /app

# ENV=production: the server asks for DATABASE_URL and JWT_SECRET instead of making its own.
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENV=production \
    UVICORN_HOST=0.0.0.0 \
    UVICORN_PORT=8000 \
    DRAIN_S=5

ARG VERSION=0.0.0+local
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="ClearSplit" \
      org.opencontainers.image.description="The open ledger and settlement engine for shared expenses" \
      org.opencontainers.image.source="https://github.com/yslim-030622/ClearSplit" \
      org.opencontainers.image.documentation="https://github.com/yslim-030622/ClearSplit/blob/main/docs/deployment.md" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# By number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 10001:10001
WORKDIR /app
EXPOSE 8000

# Without a shell and past any http_proxy.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('UVICORN_PORT') or 8000), timeout=9); c.request('GET', '/health'); sys.exit(c.getresponse().status != 200)"]

# Exec form: the server is process 1 and gets SIGTERM itself.
ENTRYPOINT ["clearsplit"]
CMD ["serve"]
