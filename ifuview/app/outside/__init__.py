"""What other programs and notebooks ask for and are told; no Qt."""
