"""Work that outlives a request: one document per job, written before the task that runs it.

A **job** of some **kind** is carried out in **steps**: one delivery of a task runs one step, under a **lease** whose epoch only
rises. Every effect of a step is committed together with the job document, on the condition that nobody changed it: that
condition is the **fence**, so a worker that lost its lease, or whose job was cancelled, can write nothing. Deliveries may come
twice, late or in any order; effects happen once. Tasks leave through an **outbox**, so that no crash loses one.
"""
