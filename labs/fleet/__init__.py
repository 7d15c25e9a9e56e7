"""A fleet of emulated devices put to the test: every fault at every operation, and what the devices hold afterwards.

python -m labs.fleet.matrix
"""
