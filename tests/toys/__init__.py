"""Small data sets, games and generators whose answers are known. Nothing is registered by an import."""
