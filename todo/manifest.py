"""The plugin manifest: built from the contract and the settings, and checked against the host's limits."""

from typing import TYPE_CHECKING, Any

from todo.contract import API, SITE
from todo.contract.schemas import find_errors
from todo.startup import CannotStart

if TYPE_CHECKING:
    from todo.config import Settings


# Where a field comes from, for the error message; all others come from the contract.
SOURCES = {
    "contact_email": "CONTACT_EMAIL",
    "legal_info_url": "LEGAL_URL",
    "logo_url": "PUBLIC_URL",
    "api.url": "PUBLIC_URL",
    "auth.type": "PLUGIN_AUTH",
}


class ManifestError(CannotStart):
    """The manifest exceeds a limit of the plugin host; the message names the field."""


def build(settings: "Settings") -> dict[str, Any]:
    """Returns the manifest. Raises ManifestError unless it matches the schema Manifest of spec/site.yaml."""
    manifest = {
        "schema_version": "v1",
        **API.document["info"]["x-plugin"],
        "auth": _auth(settings),
        "api": {
            "type": "openapi",
            "url": f"{settings.public_url}/openapi.yaml",
            "is_user_authenticated": settings.plugin_auth == "oauth",
        },
        "logo_url": f"{settings.public_url}/logo.png",
        "contact_email": settings.contact_email,
        "legal_info_url": settings.legal_url,
    }
    for error in find_errors(SITE.schema("Manifest"), manifest):
        source = SOURCES.get(error.field, "info.x-plugin of spec/openapi.yaml")
        raise ManifestError(f"{source} does not fit the plugin manifest: {error.field} {error.message}.")
    return manifest


def _auth(settings: "Settings") -> dict[str, Any]:
    """Returns the auth section: the service key, or OAuth for each person."""
    token = settings.openai_verification_token
    verification = {"verification_tokens": {"openai": token} if token else {}}
    if settings.plugin_auth != "oauth":
        return {"type": settings.plugin_auth, "authorization_type": "bearer", **verification}
    return {
        "type": "oauth",
        "client_url": f"{settings.public_url}/oauth/authorize",
        # Manifests give the token endpoint this name.
        "authorization_url": f"{settings.public_url}/oauth/token",
        "authorization_content_type": "application/json",
        "scope": " ".join(API.scopes),
        **verification,
    }
