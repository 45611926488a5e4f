"""Observations of many fiber heads, reduced without a window and in one."""
