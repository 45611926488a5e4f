"""Defects of a camera and of its products with known truth, as strong as an ideal observer's S/N asks.

from ifuview.simulate.defects import camera, table
from ifuview.simulate.defects.plant import plant_at
planted = plant_at(camera.made("b", seed=3), table.DEFECTS["sky left in a fiber"], snr=12, seed=5)
planted.chain, planted.truth, planted.amplitude
"""
