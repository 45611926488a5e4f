"""Recipes: the order of the steps of each reduction system."""
