"""Readers for the exports of other apps: Todoist, TickTick and Google Tasks."""
