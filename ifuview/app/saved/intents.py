"""What can be asked of a kept session."""

from __future__ import annotations

from ifuview.app.frames.intents import Intent


class ShowPanels(Intent):
    """Arrange the panels of a desk as they were: `state` in the words of the window (base64)."""

    desk: str
    state: str = ""


class SaveSession(Intent):
    """Write the session into a file."""

    path: str


class RestoreSession(Intent):
    """Show what a session in a file shows, in place of all that is open."""

    path: str
