"""From predictions to accuracy and agreement, and the file of results."""
