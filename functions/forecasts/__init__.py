"""Forecasts of demand and depletion over HTTP."""
