"""Recipes: the order of the steps of each reduction system.

`RECIPES` is the table; a recipe module has NAME, TITLE, STEPS with their weights, Params and run(...). It is imported
when it is used.
"""

from __future__ import annotations

RECIPES: tuple[str, ...] = ("trace_check", "desi_qa")
