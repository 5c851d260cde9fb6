"""Video in and out: reading with true times, drawing, writing. PyAV is imported only on use."""
