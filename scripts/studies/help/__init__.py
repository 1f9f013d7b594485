"""Does it help? The study of docs/study.md: cells, tuning, one draw, what is kept, statistics over draws, the page."""
