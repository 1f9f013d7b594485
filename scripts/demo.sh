#!/usr/bin/env bash
# The main job on the digits that scikit-learn ships: environment, fit, preview, bench. Ends in a verdict and a page.
set -euo pipefail
. "$(dirname "$0")/setup.sh"
RUN="${1:-runs/demo}"
if [ -e "$RUN" ]; then
    echo "$RUN exists: remove it, or name another folder: bash scripts/demo.sh runs/demo2" >&2
    exit 3
fi
echo "
20 images of each digit, 8 x 8 px, are all we have. What helps a small network that learns from them?
First a generator learns from the same images, then a bench tries every remedy: two minutes or so on two cores.
"
ganaug fit digits --limit 20 --out "$RUN" --steps 600
ganaug preview "$RUN" --data digits
ganaug bench digits --limit 20 --run "$RUN" --out "$RUN/bench" --quick --model small --remedies augmentation,longer,mean
echo "
Open in a browser:  $RUN/preview/index.html  (synthetic beside real images)
                    $RUN/bench/report.html   (what helps most, and whether synthetic images help on top)
With other seeds: docs/study.md, \"What the demo finds\""
