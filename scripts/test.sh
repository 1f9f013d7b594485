#!/usr/bin/env bash
# What must hold: formatting, types, tests; with -m "not soak" the long tests, too. Arguments go to pytest. Tests run in
# two processes of one thread each, or in one of OMP_NUM_THREADS: more threads of torch in several processes at once stall
# each other.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
ruff check .
ruff format --check .
mypy
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
python -m pytest -n $((OMP_NUM_THREADS > 1 ? 1 : 2)) "$@"
