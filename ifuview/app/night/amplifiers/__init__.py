"""Amplifiers of raw exposures, judged before and after a reduction."""
