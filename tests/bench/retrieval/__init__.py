"""How the ranking is trained and measured: on files hidden from commits of real repositories."""
