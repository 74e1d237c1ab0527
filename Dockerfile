# The image of the web, worker and release processes; Postgres and Redis are services beside it.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements-run.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements-run.lock
COPY bot bot
COPY handlers handlers
COPY review review
COPY storage storage
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 refactoriq && mkdir /data && chown refactoriq /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH ENVIRONMENT=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data PYTHONUNBUFFERED=1
WORKDIR /app
USER refactoriq
EXPOSE 8000
CMD ["refactoriq", "web"]
