"""The Qt shell: it draws views and reports what the user asked for; it computes nothing."""
