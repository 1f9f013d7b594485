"""What makes the pages of docs/: a module or package a page, the results that they keep, and `pages`, which renders."""
