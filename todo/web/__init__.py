"""The website: pages, their templates and static files."""
