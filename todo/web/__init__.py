"""What people see: templates, static files, and the browser in front of which they sit."""
