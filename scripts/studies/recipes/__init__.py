"""What every recipe does, measured: studies by recipe, what they share, and docs/recipes.md."""
