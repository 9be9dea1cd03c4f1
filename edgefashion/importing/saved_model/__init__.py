"""SavedModels, read as data: their graph and their variables."""
