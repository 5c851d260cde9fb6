"""The commands of ``cospal``, one file each: parse, call, print."""
