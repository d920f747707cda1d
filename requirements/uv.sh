#!/usr/bin/env bash
# Print the path of uv; install it from its lock into .venvs/uv first if there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
own=.venvs/uv/bin/uv

if command -v uv; then exit; fi
if ! [ -x "$own" ] || [ requirements/uv.txt -nt "$own" ]; then
  "${PYTHON:-python3}" -m venv .venvs/uv >&2
  .venvs/uv/bin/python -m pip install --quiet --require-hashes --requirement requirements/uv.txt >&2
  touch "$own"
fi
echo "$own"
