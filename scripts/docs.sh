#!/usr/bin/env bash
# The documentation site, into build/site/html: guides, examples with their output, the public names.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
python -m scripts.site "$@"
