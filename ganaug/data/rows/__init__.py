"""Tables and series: cells, columns, codecs, and labelled vectors in model space."""
