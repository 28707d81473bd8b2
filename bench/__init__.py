"""The session endpoint side by side with what people would otherwise write: `make bench` (README.md says how to read it)."""
