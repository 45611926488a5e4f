"""Subcommands of the command line for photon lists, one module each, with `main(argv) -> int`."""
