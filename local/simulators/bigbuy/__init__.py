"""The simulated BigBuy: `sources.md` 3 on a socket."""
