"""HDF5 as a container: how a file is laid out, chunks read where they lie."""
