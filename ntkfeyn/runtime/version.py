"""The version, and the tool's name as artefacts that carry it write it."""

__version__ = "0.1.0"
TOOL = f"ntkfeyn {__version__}"
