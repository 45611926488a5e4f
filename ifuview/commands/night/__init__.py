"""Commands about nights and productions."""
