"""Archives as folders: a path may lead through a tar, packed or not, and through one inside it; nothing is unpacked."""
