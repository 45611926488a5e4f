"""From counts as they were read out to clean electrons, amplifier by amplifier."""
