"""Alerts: what an operator must know, once, for as long as it is true.

A **cause** has a dedupe key; it has at most one alert that is not resolved, whoever looks at it and however often. A
**judgement** says of a cause whether it fires, whether it is over (with hysteresis in between), and how bad it is. While an
alert is open, active or acknowledged, further judgements only update it. It resolves by itself when its cause is over, and
says why. What is to be told of it is a record per channel, told once: now, later (snooze, silence, quiet hours, a stale feed), or
never (muted). After a resolution by hand the cause must have been false, or become worse, before it opens another.
"""
