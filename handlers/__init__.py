"""The doors: webhook, events, jobs, health. Events decide, jobs act."""
