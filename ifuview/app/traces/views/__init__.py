"""Views of traces and of what the doctor found."""
