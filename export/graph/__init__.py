"""The deployed graph: the model as it is exported, its layers and the pixels that it reads."""
