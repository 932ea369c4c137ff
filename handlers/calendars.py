"""Handlers of the tag calendars: the calendar feed."""

from datetime import date
from urllib.parse import urlsplit

from flask import Response, request
from werkzeug import Response as WerkzeugResponse

from todo.domain import calendars
from todo.errors import NotFound
from todo.service import current
from todo.web import browser


def get_calendar(calendar: str) -> WerkzeugResponse:
    feed = browser.read(calendars.find, calendar)
    if feed is None:
        raise NotFound
    # The feed depends on the date too.
    version = f"{feed.user.id}-{feed.user.last_change_id}-{date.today():%Y%m%d}"
    response = Response(mimetype="text/calendar")
    response.set_etag(version)
    response.headers["Cache-Control"] = "private, no-cache"
    if not request.if_none_match.contains_weak(version):
        host = urlsplit(current.get().settings.public_url).hostname
        response.set_data(calendars.to_ical(feed, str(host)))
    return response.make_conditional(request)
