"""Values of other packages, and what the program makes of them: arrays, astropy, specutils, pandas."""
