"""FITS as a container: headers, pixels, tables, tiles; no instrument is known here."""
