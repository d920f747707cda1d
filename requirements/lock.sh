#!/usr/bin/env bash
# Compile every lock in this folder from the groups in pyproject.toml. Locks name packages and hashes, never an index.
#
#   requirements/lock.sh              keep what is locked unless a range forbids it
#   requirements/lock.sh --upgrade    take the newest that the ranges allow
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(requirements/uv.sh)

lock() { # NAME GROUP... : what the group asks for; --extra and a path add tallyspan's own dependencies
  local name=$1
  shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
    --no-emit-index-url --prerelease if-necessary-or-explicit "${upgrade[@]}" \
    --output-file "requirements/$name.txt" "$@" >/dev/null
  echo "requirements/$name.txt: $(grep -c == "requirements/$name.txt") packages"
}

upgrade=("$@")
plugin=(pyproject.toml --extra otel)
whole=("${plugin[@]}" --extra check)

lock uv --group uv
lock dev "${whole[@]}" --group dev
lock demo "${whole[@]}" --group demo
lock bench "${plugin[@]}" --group bench
lock openai-1.40 "${plugin[@]}" --group openai-1_40 # without the checker's extra: no httpx2 anywhere
for generation in 1.109 2 3; do
  lock "openai-$generation" "${whole[@]}" --group "openai-${generation/./_}"
  lock "rivals-$generation" "${plugin[@]}" --group "rivals-${generation/./_}"
done
