"""People: who they are, how they prove it, to which organizations they belong, and what they may see."""
