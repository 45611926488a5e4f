"""The ways into a running window from outside: notebooks, a second command, other programs."""
