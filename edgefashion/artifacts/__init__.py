"""What an exported file is, and what it says of itself."""
