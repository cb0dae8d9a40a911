# syntax=docker/dockerfile:1
# One image for everything: the all-in-one, the worker, the scheduler, one function (FUNCTION_TARGET), and - stage `lambda` - AWS.
# In production pin the base by digest: --build-arg BASE_IMAGE=python:3.13-slim-trixie@sha256:...
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS builder
WORKDIR /build
RUN python3 -m venv /opt/venv
COPY deploy/image/requirements.lock deploy/image/prune.py ./
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/pip install --disable-pip-version-check --no-compile --require-hashes -r requirements.lock \
    && /opt/venv/bin/python prune.py

FROM builder AS lambda-builder
COPY deploy/image/requirements-lambda.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/pip install --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-lambda.lock \
    && /opt/venv/bin/python prune.py --without-pip && /opt/venv/bin/python -m compileall -q /opt/venv

FROM builder AS app-builder
RUN /opt/venv/bin/python prune.py --without-pip && /opt/venv/bin/python -m compileall -q /opt/venv

FROM ${BASE_IMAGE} AS base
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin bitbylaw
# one arena for all threads: with one for each, freed memory stays with the thread that freed it and the process grows for hours
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 MALLOC_ARENA_MAX=1
WORKDIR /app
COPY functions functions
COPY shared shared
COPY deploy/image/start deploy/image/scheduler.py deploy/image/
RUN python3 -m compileall -q functions shared deploy && chmod 0555 deploy/image/start
USER 10001:10001

FROM base AS lambda
COPY --from=lambda-builder /opt/venv /opt/venv
ENTRYPOINT ["python3", "-m", "awslambdaric"]
CMD ["functions.aws.advoware_proxy"]

FROM base AS runtime
COPY --from=app-builder /opt/venv /opt/venv
ENV PORT=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/app/deploy/image/start", "health"]
ENTRYPOINT ["/app/deploy/image/start"]
CMD ["app"]
