"""Is this photon list right? One pass over its photons, then questions to what was counted."""
