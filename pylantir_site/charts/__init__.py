"""Drawings of numbers are laid out here, in plain numbers and without Django; templates draw them as SVG.

axes  where a value stands, and the round values that are written beside it
bars  places of equal width side by side, and pieces stacked in one of them
"""
