"""From a generator to images: loading a run, the verdict that guards it, pools, variants, pictures, files."""
