# Shared by scripts/demo and scripts/test: makes .venv, installs the project into it, pulls the starter models.
# Sourced with `root` set. Everything is reused by the next run; the install is repeated only when its inputs change.
# Needs Python 3.11 or 3.12, gcc and g++ (llama.cpp is built from source once, some minutes), and the package registry.

setup_python() {
  local candidate
  for candidate in python3.11 python3.12 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 13)))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  echo "error: Python 3.11 or 3.12 is needed; install python3.11 and run this again" >&2
  return 1
}

setup() {
  local extras=$1 python stamp wanted
  cd "$root" || return 1
  if ! command -v gcc >/dev/null 2>&1; then
    echo "error: gcc is needed to build llama.cpp; install it (apt-get install build-essential) and run this again" >&2
    return 1
  fi
  if [ ! -x .venv/bin/python ]; then
    python=$(setup_python) || return 1
    echo "Making .venv with $($python --version)"
    "$python" -m venv .venv || return 1
  fi
  stamp=.venv/.installed-$extras
  wanted=$(cat pyproject.toml constraints.txt | cksum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing (the first time builds llama.cpp: some minutes)"
    # The image-reading half of llama.cpp is not used here and takes a quarter of the build.
    CMAKE_ARGS="${CMAKE_ARGS:-} -DLLAVA_BUILD=OFF" \
      .venv/bin/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt \
      --editable ".[$extras]" || return 1
    printf '%s\n' "$wanted" >"$stamp"
  fi
  export MEETINGS_MODELS="${MEETINGS_MODELS:-$root/models}"
  .venv/bin/meetings models pull starter || return 1
}
