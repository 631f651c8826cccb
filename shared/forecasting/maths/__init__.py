"""The arithmetic of forecasts, on whole matrices: the one place that stands on numpy, imported when a forecast is made.

A `Histories` holds many products' kept days side by side; every method takes one and returns a rate per day for each.
"""
