"""The command line of the viewer: options in the order in which they were typed."""
