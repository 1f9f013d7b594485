"""Labels of other people's data sets, and the names that go with them."""
