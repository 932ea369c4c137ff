"""What a plugin host reads, and what it does with it."""

import io

import httpx
import yaml
from PIL import Image

from todo.contract import API


def test_manifest(anonymous: httpx.Client) -> None:
    manifest = anonymous.get("/.well-known/ai-plugin.json").json()
    assert manifest == anonymous.get("/.well-known/manifest.json").json()
    assert manifest["schema_version"] == "v1"
    assert manifest["auth"] == {"type": "service_http", "authorization_type": "bearer", "verification_tokens": {}}
    assert manifest["api"]["url"] == "http://localhost:8000/openapi.yaml"
    assert manifest["name_for_model"] == API.document["info"]["x-plugin"]["name_for_model"]


def test_every_address_of_the_manifest_answers(anonymous: httpx.Client) -> None:
    manifest = anonymous.get("/.well-known/ai-plugin.json").json()
    for url in (manifest["api"]["url"], manifest["logo_url"], manifest["legal_info_url"]):
        assert anonymous.get(url).status_code == 200


def test_contract_is_the_file_but_for_servers(anonymous: httpx.Client) -> None:
    served = anonymous.get("/openapi.yaml")
    assert served.headers["content-type"].startswith("application/yaml")
    assert served.text == API.text  # the tests run at the very address that the file names
    assert yaml.safe_load(served.text) == anonymous.get("/openapi.json").json()


def test_servers_come_from_the_settings() -> None:
    text = API.text_for("https://todo.example.com")
    assert yaml.safe_load(text)["servers"] == [{"url": "https://todo.example.com"}]
    assert API.document_for("https://todo.example.com") == yaml.safe_load(text)
    ours, theirs = API.text.splitlines(), text.splitlines()
    changed = [line.strip() for line in theirs if line not in ours]
    assert changed == [
        "- url: https://todo.example.com",
        "authorizationUrl: https://todo.example.com/oauth/authorize",
        "tokenUrl: https://todo.example.com/oauth/token",
        "refreshUrl: https://todo.example.com/oauth/token",
    ]
    assert len(ours) == len(theirs)


def test_logo_is_of_the_size_that_hosts_want(anonymous: httpx.Client) -> None:
    response = anonymous.get("/logo.png")
    image = Image.open(io.BytesIO(response.content))
    assert (image.format, image.size) == ("PNG", (512, 512))
