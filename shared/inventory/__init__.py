"""Stock: levels, the ledger that explains them, reservations, and the figures made of them.

A level (one per store and product) holds `on_hand`, which is the sum of its movements, always. Movements are only added.
Active reservations lie inside their level with quantity and end, so that one read decides; they stop counting the moment they
end. `available` is what is neither reserved nor missing. Level, movement and product sums change in one commit.
"""
