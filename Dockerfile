# One image for web, worker and DICOM server: docs/deployment.md, "In containers".

FROM python:3.11.14-slim-bookworm AS packages
WORKDIR /opt/pylantir
RUN python -m venv .venv
COPY requirements-oidc.lock ./
# Wheels alone: there is no compiler here.
RUN .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
    --only-binary :all: --require-hashes --requirement requirements-oidc.lock

FROM python:3.11.14-slim-bookworm
# The folder of SQLite and of keys that are made at the first start: its owner's alone.
RUN groupadd --gid 10001 pylantir \
    && useradd --uid 10001 --gid pylantir --no-create-home --home-dir /data --shell /usr/sbin/nologin pylantir \
    && install --directory --mode 700 --owner pylantir --group pylantir /data
WORKDIR /opt/pylantir
COPY --from=packages /opt/pylantir/.venv .venv
COPY LICENSE manage.py ./
COPY accounts accounts
COPY archives archives
COPY pylantir_site pylantir_site
COPY sources sources
COPY worklist worklist
# The code belongs to root: what runs as the user below cannot change it.
RUN .venv/bin/python -m compileall -q accounts archives pylantir_site sources worklist
ENV PATH=/opt/pylantir/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DB_PATH=/data/worklist.db
USER 10001:10001
EXPOSE 8000 4242
# Of `start`, which ends when one of its processes does; compose.yaml has one for each service.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["python", "manage.py"]
CMD ["start", "--ip", "0.0.0.0", "--api-host", "0.0.0.0"]
