"""Values of a reduction, from the amplifier as it was read out to the cube, without any arithmetic."""
