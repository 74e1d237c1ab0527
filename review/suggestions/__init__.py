"""A replacement of lines: laid on its file, mended in its layout, held against what breaks code."""
