# CPU by default. With an NVIDIA GPU: docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
FROM python:3.11.14-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
# The CPU wheels of torch are 200 MB where the default ones with CUDA are 5 GB.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" "torch==2.11.*" "torchaudio==2.11.*"
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY meetings ./meetings
# torch stands in the constraints without its build's suffix; what is installed above satisfies it.
RUN grep -vE '^(torch|torchaudio|nvidia|cuda|triton)' constraints.txt > /tmp/constraints.txt \
  && CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF" pip install --no-cache-dir --constraint /tmp/constraints.txt .

FROM python:3.11.14-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg libgomp1 && rm -rf /var/lib/apt/lists/* \
  && useradd --create-home --uid 1000 meetings \
  && install -d -o meetings -g meetings -m 0700 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH MEETINGS_HOME=/data PYTHONUNBUFFERED=1
USER meetings
WORKDIR /data
VOLUME /data
ENTRYPOINT ["meetings"]
CMD ["--help"]
