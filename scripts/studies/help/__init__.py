"""The parts of `scripts/study.py`: the table of cells, tuning, one draw, statistics over draws, the page."""
