"""Handlers of the tag plugin: the manifest, the contract and the logo, which a host reads to install the plugin."""

from flask import Response, jsonify
from starlette.requests import Request
from starlette.responses import Response as LoopResponse

from todo.contract import API
from todo.service import current
from todo.web import assets
from todo.web.assets import Asset

LOGO = Asset.of_file(assets.FOLDER / "logo.png", max_age=86400)


def get_plugin_manifest() -> Response:
    return jsonify(current.get().manifest)


def get_tutorial_manifest() -> Response:
    return get_plugin_manifest()


def get_contract_yaml() -> Response:
    public_url = current.get().settings.public_url
    return Response(API.text_for(public_url), mimetype="application/yaml")


def get_contract_json() -> Response:
    return jsonify(API.document_for(current.get().settings.public_url))


async def get_logo(request: Request) -> LoopResponse:
    return LOGO.response(request)
