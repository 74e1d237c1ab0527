"""The doors: webhook events, jobs and later the API. Events decide, jobs act."""
