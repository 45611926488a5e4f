"""Which traces are wrong, how, how sure, and what it does: measured on the image, against the noise."""
