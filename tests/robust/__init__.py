"""No input, fault or neighbor ends the program, loses a file or takes more than it may."""
