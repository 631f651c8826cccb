"""Suppliers: connections to where products come from, and the syncs that keep what they offer.

A **connection** is checked with the supplier before it is stored; its credentials are sealed and never shown again. A **sync**
walks what a supplier offers, page by page, resumably: products are matched by the supplier's id, then by SKU; new ones are
drafts; texts that people edited stay; price and stock go to the product's link, never into our ledger. A supplier's error
fails the sync; a record's error is counted. A **schedule** starts one sync per period, with one catch-up after downtime.
"""
