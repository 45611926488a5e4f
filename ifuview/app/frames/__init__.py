"""Any image: opening, look, regions; the ground that all columns may use."""
