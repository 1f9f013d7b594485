"""From labelled images, rows or series to a run folder."""
