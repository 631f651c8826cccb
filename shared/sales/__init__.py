"""Sales: baskets bought from one store, and what they add up to.

A **basket** is one commit: stock, movements, the **sale** and its **lines** exist together or not at all. Lines of one product
are summed before anything is checked, so a product is bought in full, once, or named once among the **failed items**. Names,
category and price are frozen in the line. A sale is never changed: what comes back is a **return**, an entry of its own with
negative lines. Reports count lines in **buckets**, whole calendar periods of a time zone that partition the range.
"""
