"""Converters of trained models to other runtimes; installed as ``cospal_exporters``."""
