"""The function `catalog`: products, categories, prices, barcodes."""
