"""What lets people install the site as an app: the manifest, the icons and the service worker."""

import orjson

from todo.contract import API, SITE
from todo.web import assets, theme
from todo.web.assets import CHECK_ALWAYS, FOLDER, Asset

A_DAY = 86400

ICONS = {name: Asset.of_file(FOLDER / name, A_DAY) for name in SITE.enum("IconFile")}


def _manifest() -> bytes:
    """Returns the web app manifest (W3C), with the same names and texts as the plugin."""
    plugin = API.document["info"]["x-plugin"]
    manifest = {
        "id": "/list",
        "name": plugin["name_for_human"],
        "short_name": plugin["name_for_human"],
        "description": plugin["description_for_human"],
        "lang": "en",
        "start_url": "/list",
        "scope": "/",
        "display": "standalone",
        "background_color": theme.LIGHT,
        "theme_color": theme.LIGHT,
        "icons": [
            {"src": "/icons/icon-192.png", "sizes": "192x192", "type": "image/png"},
            {"src": "/logo.png", "sizes": "512x512", "type": "image/png"},
            {"src": "/icons/icon-maskable.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
    }
    return orjson.dumps(manifest)


def _service_worker() -> bytes:
    """Returns the script with the names of the files that it caches, so that browsers notice a new version."""
    files = orjson.dumps([assets.url(name) for name in assets.SITE_FILES]).decode()
    known = f'const VERSION = "{assets.VERSION}";\nconst FILES = {files};\n'
    return known.encode() + (FOLDER / "service-worker.js").read_bytes()


MANIFEST = Asset("manifest.webmanifest", _manifest(), f"public, max-age={A_DAY}")
SERVICE_WORKER = Asset("service-worker.js", _service_worker(), CHECK_ALWAYS)
