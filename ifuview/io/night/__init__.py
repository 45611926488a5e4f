"""A folder of exposures: its files, its log, its tiles."""
