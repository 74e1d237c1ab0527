"""The running processes: settings, wiring, web, worker, command line, the real GitHub and git."""
