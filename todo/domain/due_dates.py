"""Due dates as requests give them: local, or with an offset from UTC, which is converted to the person's time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from todo.errors import InvalidRequest

MINUTE = len("2026-11-27T18:00")  # a time may come with seconds, which are cut off
YEARS = range(1900, 2200)  # as in the pattern of the contract


def has_offset(given: str) -> bool:
    """Whether a due date of the contract ends in Z or an offset, such as +01:00."""
    return len(given) > MINUTE and (given[-1] == "Z" or given[-len("+01:00")] in "+-")


def to_local(given: str, time_zone: str) -> str:
    """Returns a due date of the contract as stored: local, seconds cut off. Raises InvalidRequest."""
    if not has_offset(given):
        return given[:MINUTE]
    local = datetime.fromisoformat(given).astimezone(ZoneInfo(time_zone))
    if local.year not in YEARS:
        raise InvalidRequest.of("due", f"must be between {YEARS.start} and {YEARS.stop - 1} where the person is")
    return f"{local:%Y-%m-%dT%H:%M}"
