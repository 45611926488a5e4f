"""Raw packets of the read-out, beam maps, power sweeps."""
