"""The mind: a change in, an Analysis out. Knows no GitHub, no database, no environment."""
