"""How a model wants its pixels and which output is which class, found on labelled pictures."""
