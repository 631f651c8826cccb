"""Forecasts: what will be sold, and when stock will have run out.

A *history* is a product's demand (units sold or removed) by UTC day, from its first movement up to yesterday; a day on which
nothing lay in stock and nothing was sold says nothing about demand and is left out. A *forecast* carries its method, what
the method's error was at earlier origins next to a naive baseline, and the data it used; with fewer than thirty days it is
refused. Restocks never count as demand. A *stored* forecast is made by training and gives the product its predicted
depletion date; others are kept for an hour, and only while the stock is the same.
"""
