"""What every room may stand on: files written whole, work shared among processes, the version.

Nothing here knows of networks or diagrams.
"""
