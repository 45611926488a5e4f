"""Views of images: frozen values that a widget draws, made by pure functions of the session."""
