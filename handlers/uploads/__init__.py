"""What comes in as an upload: received onto disk, unpacked within bounds, and packed anew as one zip. Start at `unpack.py`."""
