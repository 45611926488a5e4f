"""The empirical fiber profile: its shape with wings, estimated from the light itself, and its light on pixels."""
