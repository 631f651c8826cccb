"""Orders: transfer orders between stores, and customers' orders that suppliers fulfil.

A **transfer order** moves units into a store, out of another one or from outside. It is reviewed, **approved** (which reserves
its units at the source), **fulfilled** (which moves them, exactly once, in one commit) or **cancelled** (which releases them);
`rules.py` has the one table of what may follow what. A **customer order** is fulfilled by suppliers: its items are grouped, and
each group becomes one **supplier order** under a fixed **reference**, by which a supplier is asked before anything is repeated,
so that nothing is ever ordered twice.
"""
