"""A reduction in the window: steps told as they are made, shown, tried otherwise; the field of all channels."""
