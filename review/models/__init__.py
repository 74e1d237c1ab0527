"""What a model is asked, what it answers, and what of it stands in the code."""
