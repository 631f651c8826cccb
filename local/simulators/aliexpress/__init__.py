"""The simulated AliExpress: `sources.md` 4 on a socket."""
