#!/usr/bin/env bash
# Everything that must hold: formatting, types, tests. Arguments go to pytest.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
ruff check .
ruff format --check .
mypy
python -m pytest "$@"
