"""Reports of analyses that were kept: what they are made of, and the job that makes them."""
