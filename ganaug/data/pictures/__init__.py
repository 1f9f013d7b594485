"""Files and arrays of pictures: one reader, so that every part of ganaug sees the same."""
