"""Selling baskets and reporting on sales over HTTP."""
