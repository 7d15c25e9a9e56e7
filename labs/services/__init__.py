"""Services of battlefield hosts: they serve rightful clients, and give up a canary where they are weak."""
