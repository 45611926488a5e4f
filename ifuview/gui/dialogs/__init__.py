"""Dialogs: only where the user must choose."""
