"""What the worker does for photon lists: tasks as values."""
