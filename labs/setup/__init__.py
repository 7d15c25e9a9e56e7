"""Brings what the lab needs onto a Debian machine."""
