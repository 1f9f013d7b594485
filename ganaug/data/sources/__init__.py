"""What labelled images may come from, one file a kind; the picture reader; names and labels."""
