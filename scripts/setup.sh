# Sourced by the other scripts: makes .venv when it is missing, and activates it.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PYTHON="${PYTHON:-python3}"
if [ ! -x .venv/bin/ganaug ]; then
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ganaug needs Python 3.11 or newer." >&2; exit 4; }
    [ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,docs]"
fi
. .venv/bin/activate
export NO_ALBUMENTATIONS_UPDATE=1
