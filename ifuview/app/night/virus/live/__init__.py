"""One fiber head of an observation reduced in the window: step by step, judged, with other parameters, taken back."""
