"""The operations of the tag health: what a platform asks."""

from flask import Response, current_app, jsonify


def check_process() -> Response:
    return jsonify(status="ok")


def check_database() -> Response:
    current_app.config["ENGINE"].submit_read(lambda connection: connection.database_answers()).result()
    return jsonify(status="ok")
