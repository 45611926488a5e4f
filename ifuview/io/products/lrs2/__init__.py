"""Products of LRS2 as the published pipeline names and orders them, with what it does not keep behind."""
