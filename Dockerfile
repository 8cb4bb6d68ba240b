# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY gridmodel gridmodel
COPY scheme scheme
COPY api api
COPY fixtures/township fixtures/township
RUN python -m venv /opt/gridscheme \
    && /opt/gridscheme/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 gridscheme \
    && useradd --uid 10001 --gid gridscheme --no-create-home --home-dir /var/lib/gridscheme gridscheme \
    && install --directory --owner gridscheme --group gridscheme /var/lib/gridscheme
COPY --from=build /opt/gridscheme /opt/gridscheme
# compiled load-flow loops and font lists are kept here, the only place that is written
ENV PATH=/opt/gridscheme/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/gridscheme \
    NUMBA_CACHE_DIR=/var/lib/gridscheme/compiled \
    TZ=Asia/Shanghai
WORKDIR /var/lib/gridscheme
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["gridscheme"]
CMD ["serve", "--host", "0.0.0.0", "--no-worker"]
