"""A part of a camera that is off alike: named, and taken out, so that the rest can be asked without it."""
