#!/usr/bin/env bash
# Make the environment VENV hold exactly what LOCK says, and tallyspan from this checkout.
#
#   requirements/install.sh VENV LOCK [WHEEL]     WHEEL: install this file instead of the checkout
#
# Every file is checked against the hashes of the lock. The build back end is in the lock too: nothing is fetched for
# the build. uv is used from PATH if it is there, else installed by pip from requirements/uv.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 lock=$2 wheel=${3:-}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "tallyspan needs Python 3.11 or newer, and $python is $("$python" --version); set PYTHON=python3.12" >&2
  exit 2
}

uv=$(requirements/uv.sh)

# uv does not read pip's configuration: hand it the index and the certificates that pip would use.
index=${PIP_INDEX_URL:-$("$python" -m pip config get global.index-url 2>/dev/null || true)}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"; fi
if [ -n "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"; fi

[ -x "$venv/bin/python" ] || "$python" -m venv --without-pip "$venv"
"$uv" pip sync --quiet --require-hashes --python "$venv/bin/python" "$lock"
"$uv" pip install --quiet --no-deps --no-index --no-build-isolation --python "$venv/bin/python" ${wheel:-"--editable=."}
