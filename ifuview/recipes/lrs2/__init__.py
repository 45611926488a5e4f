"""The recipe "lrs2": raw amplifiers of a channel to fiber spectra, sky, source spectrum and cube.

The steps are pure functions, the recipe is the graph of them (`recipe.RECIPE`); what they are made of comes in as
values: exposures of the index, tables of the instrument.
"""
