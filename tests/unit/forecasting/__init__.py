"""The arithmetic of forecasts."""
