# Built and tried by script/image. Any base with Python 3.11 or newer and pip will do:
#   docker build --build-arg BASE_IMAGE=python:3.12-slim -t werkbench .
#   docker run -p 127.0.0.1:8501:8501 -v werkbench-data:/data \
#     -e WERKBENCH_PEOPLE__TRUST_NETWORK=true werkbench
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md app.py ./
COPY .streamlit .streamlit
COPY config config
COPY models models
COPY sample_audio sample_audio
COPY qe_core qe_core
COPY storage storage
COPY workbench workbench
COPY ui ui
COPY pages pages
COPY api api
COPY jobs jobs
# Where pip looks is the builder's business: a pip.conf can be mounted as a secret, and stays outside
# of every layer.
RUN --mount=type=secret,id=pip_conf,target=/etc/pip.conf \
    python3 -m venv /opt/werkbench \
    && /opt/werkbench/bin/pip install --no-cache-dir --no-compile -c constraints.txt ".[auth]" \
    && /opt/werkbench/bin/pip uninstall --yes pip

FROM ${BASE_IMAGE}
RUN useradd --create-home --uid 10001 werkbench \
    && install --directory --owner werkbench --group werkbench /data
COPY --from=build /opt/werkbench /opt/werkbench
ENV PATH=/opt/werkbench/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    WERKBENCH_ENV=prod \
    WERKBENCH_DATA_DIR=/data \
    WERKBENCH_SERVER__HOST=0.0.0.0
USER werkbench
WORKDIR /home/werkbench
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
CMD ["werkbench", "serve", "--no-browser"]
