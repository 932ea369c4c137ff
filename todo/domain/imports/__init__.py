"""The exports of other apps, as they are: Todoist, TickTick and Google Tasks."""
