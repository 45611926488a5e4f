"""What was measured on any image."""
