"""The connectors of the 3PLs, over the scripted transport."""
