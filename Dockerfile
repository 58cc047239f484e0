# CPU by default; for an NVIDIA GPU: docker build --build-arg DEVICE=gpu .
# To bake models in: docker build --build-arg MODELS=starter .
FROM python:3.11.14-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
# The CPU wheels of torch are 200 MB; those with CUDA are 5 GB. torch brings CUDA 13, the recogniser opens cuBLAS 12.
ARG DEVICE=cpu
RUN if [ "$DEVICE" = gpu ]; then \
      pip install --no-cache-dir "torch==2.11.*" "torchaudio==2.11.*" "nvidia-cublas-cu12==12.*"; \
    else \
      pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "torch==2.11.*" "torchaudio==2.11.*"; \
    fi
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY meetings ./meetings
# The constraints name torch without its build's suffix, so what is installed above satisfies them (PEP 440).
RUN CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF" pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11.14-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg libgomp1 && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --uid 1000 meetings \
  && install -d -o meetings -g meetings -m 0700 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH MEETINGS_HOME=/data PYTHONUNBUFFERED=1 \
  LD_LIBRARY_PATH=/opt/venv/lib/python3.11/site-packages/nvidia/cublas/lib
USER meetings
WORKDIR /data
ARG MODELS=
RUN for model in $MODELS; do meetings models pull "$model" || exit 1; done
VOLUME /data
ENTRYPOINT ["meetings"]
CMD ["--help"]
