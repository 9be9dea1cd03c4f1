"""What this process is to its system: descriptors and signals."""
