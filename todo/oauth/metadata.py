"""Metadata of the authorization server (RFC 8414) and of the protected resources (RFC 9728)."""

from typing import Any

from todo.contract import API

JSON = dict[str, Any]

SECRET_METHODS = ["client_secret_post", "client_secret_basic"]
DOCUMENT_METHODS = ["none", "private_key_jwt"]  # we issue no secret to a client with a document
AUTH_METHODS = ["none", "private_key_jwt", *SECRET_METHODS]
SIGNING_ALGORITHMS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
]
GRANT_TYPES = ["authorization_code", "refresh_token"]


def resources_of(public_url: str) -> tuple[str, str]:
    """Returns the URLs of the resources that a token can be bound to (RFC 8707): the service and its MCP endpoint."""
    return public_url, f"{public_url}/mcp"


def token_endpoint(public_url: str) -> str:
    return f"{public_url}/oauth/token"


def server(public_url: str) -> JSON:
    """Returns the authorization server's metadata. The issuer is exactly PUBLIC_URL (RFC 8414 section 3.3)."""
    return {
        "issuer": public_url,
        "authorization_endpoint": f"{public_url}/oauth/authorize",
        "token_endpoint": token_endpoint(public_url),
        "revocation_endpoint": f"{public_url}/oauth/revoke",
        "registration_endpoint": f"{public_url}/oauth/register",
        "scopes_supported": list(API.scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANT_TYPES,
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": SIGNING_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": SIGNING_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
        "service_documentation": f"{public_url}/docs",
        "op_policy_uri": f"{public_url}/legal",
    }


def resource(public_url: str, path: str = "") -> JSON:
    """Returns the metadata of the protected resource at `path`: the service itself, or /mcp."""
    return {
        "resource": f"{public_url}{path}",
        "authorization_servers": [public_url],
        "scopes_supported": list(API.scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": API.document["info"]["title"],
        "resource_documentation": f"{public_url}/docs",
    }
