"""Purchasing: who sells us what, and for how much.

A vendor is somebody we buy from by hand; there is one row per vendor and product, and each change of its price is kept.
Of a product's vendors at most one is recommended, by price; the comparison counts what a whole order costs per unit, delivered.
A supplier link joins a product and a connected supplier (`shared.suppliers`); syncs write it, fulfilment reads it.
"""
