"""Subcommands of the command line, one module each; `table` lists them, `run` carries one out.

To add a command, write its module here and its row in `table.COMMANDS`. The module has `options(out)`, which adds the
options to an argparse parser, and `run(chosen, ctx) -> Said`: what is printed when the progress bar is gone, and the
exit code. Input that cannot be read or makes no sense is an IfuviewError. Usage text, manual page and shell completion
are made from the table and the parsers.
"""
