"""The operations of the tag plugin: what a host reads to install it."""

from flask import Response, current_app, jsonify, send_file

from todo import contract


def get_plugin_manifest() -> Response:
    return jsonify(current_app.config["MANIFEST"])


def get_tutorial_manifest() -> Response:
    return get_plugin_manifest()


def get_contract_yaml() -> Response:
    public_url = current_app.config["SETTINGS"].public_url
    return Response(contract.API.text_for(public_url), mimetype="application/yaml")


def get_contract_json() -> Response:
    return jsonify(contract.API.document_for(current_app.config["SETTINGS"].public_url))


def get_logo() -> Response:
    return send_file("web/static/logo.png", max_age=86400)
