"""Content: texts for products, written by a model or by templates, and advice on prices.

A writer never changes a product: what it writes is a **draft** with what the product says now beside it, and a person
applies it, wholly or in part. A newer draft of the same kind supersedes a pending one. Every request to a model is counted
once against the month's quota, whatever is retried; the template writer is labelled as such and not counted.
"""
