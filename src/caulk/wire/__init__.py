"""Protocols that places and runtimes both speak, over a connection that somebody else made."""
