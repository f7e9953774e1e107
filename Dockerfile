# Build where the registry can be asked: pin both FROM lines to the digest behind this tag there.
FROM python:3.13-slim AS build

WORKDIR /src
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv --without-pip /opt/kullback \
 && python -m pip install --no-cache-dir --require-hashes --only-binary :all: \
      -r requirements/build.txt \
 && python -m pip --python /opt/kullback/bin/python install --no-cache-dir --require-hashes \
      --only-binary :all: -r requirements/runtime.txt

COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY client client
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/kullback/bin/python install --no-cache-dir --no-index --no-deps \
      dist/*.whl

# What is in it, as CycloneDX; the tool that says so stays behind.
COPY requirements/sbom.txt requirements/sbom.py requirements/
RUN python -m venv /opt/sbom \
 && /opt/sbom/bin/python -m pip install --no-cache-dir --require-hashes --only-binary :all: \
      -r requirements/sbom.txt \
 && /opt/sbom/bin/python requirements/sbom.py /opt/kullback/bin/python /opt/kullback/sbom.cdx.json


FROM python:3.13-slim

ARG VERSION=0.2.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title=Kullback \
      org.opencontainers.image.description="A scoring service for probability forecasts" \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION

COPY --from=build /opt/kullback /opt/kullback

# What a new named volume on it takes its owner from.
RUN install --directory --owner=65532 --group=65532 /data

# Two arenas: worker threads would otherwise each keep the memory of their largest body.
ENV PATH=/opt/kullback/bin:$PATH \
    KULLBACK_DATABASE_URL=sqlite:////data/kullback.db \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2

USER 65532:65532
EXPOSE 8000
EXPOSE 8001

VOLUME /data

# No proxy: the question stays inside the container whatever HTTP_PROXY says.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/livez', timeout=2)"]

CMD ["kullback", "serve", "--host", "0.0.0.0", "--port", "8000"]
