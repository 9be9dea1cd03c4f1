"""What any file of a model becomes: plain layers, channels last, with their weights."""
