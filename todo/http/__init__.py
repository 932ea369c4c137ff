"""What every request passes on its way in and out, whichever door it comes through."""
