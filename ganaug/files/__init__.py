"""Files that are whole or refused: written beside and put in place at once, read with limits and checked."""
