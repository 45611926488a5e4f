"""Plain data out of pickles and npz members; nothing of the file is ever run."""
