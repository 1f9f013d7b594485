#!/usr/bin/env bash
# The main job on the digits that scikit-learn ships: environment, fit, preview, bench. Ends in a verdict and a page.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
RUN="${1:-runs/demo}"
if [ -e "$RUN" ]; then
    echo "$RUN exists: remove it, or name another folder: bash scripts/demo.sh runs/demo2" >&2
    exit 3
fi
ganaug check digits --limit 40 --no-timing --quiet
ganaug fit digits --limit 40 --out "$RUN" --budget 30s
ganaug preview "$RUN"
ganaug bench digits --limit 40 --run "$RUN" --out "$RUN/bench" --quick --remedies augmentation,longer,mean
echo "Samples: $RUN/preview/grid.png"
echo "Report:  $RUN/bench/report.html"
