"""A session in a file: what is kept, how it is written, how it is restored; and the one that a crash left behind.

Kept are what was opened and how it looked, not what was found out: pixels stay in their files, which are known by
place and fingerprint, and verdicts are made anew.
"""
