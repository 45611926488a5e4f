"""Fiber traces of any form, read and written."""
