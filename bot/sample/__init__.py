"""Sample data for a try: an organization that is on no GitHub, with a month of analyses. Start reading at `story.py`."""
