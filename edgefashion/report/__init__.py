"""Results of several devices in one table, and the card of a model."""
