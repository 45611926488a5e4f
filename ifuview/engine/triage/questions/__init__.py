"""The questions asked of one camera, a file each: every one reads a Case and notes findings in it."""
