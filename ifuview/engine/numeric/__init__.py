"""Numbers that every column needs: robust fits, limits of a picture."""
