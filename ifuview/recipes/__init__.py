"""Recipes: the order of the steps of each reduction system.

A recipe module has NAME, TITLE, STEPS with their weights, Params and run(...). It is imported when it is used.
"""
