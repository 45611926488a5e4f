"""Files of many fiber heads: calibrations, and what an observation was reduced to."""
