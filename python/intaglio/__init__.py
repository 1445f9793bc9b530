"""Intaglio quantizes ONNX models. It is a program of the command line: `intaglio`, or `python -m intaglio`."""
