"""The catalogue: products, categories, prices over time, barcodes.

`models.py` is what the wire shows and takes, `record.py` how a product is stored, the rest are its services.
"""
