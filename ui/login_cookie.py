"""Who is logged in at the browser that sent a request, outside of Streamlit's own pages."""

import json
from collections.abc import Mapping
from typing import Any

from streamlit.auth_util import get_cookie_with_chunks, get_secrets_auth_section
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

__all__ = ["is_login_configured", "logged_in_subject", "subject_in"]


def is_login_configured() -> bool:
    """Whether ``.streamlit/secrets.toml`` names an identity provider."""
    return bool(get_secrets_auth_section())


def logged_in_subject(cookies: Mapping[str, str]) -> str | None:
    """How the identity provider knows the person, by the cookie that Streamlit's login signed.

    Args:
        cookies: of the request

    Returns:
        the subject as it is stored with the person; ``None`` when nobody is logged in
    """
    secret = get_cookie_secret()

    def read(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(secret, name, value)

    signed = get_cookie_with_chunks(read, USER_COOKIE_NAME)
    claims: dict[str, Any] = {} if signed is None else json.loads(signed)
    return subject_in(claims) if claims.get("is_logged_in") and "sub" in claims else None


def subject_in(claims: Mapping[str, Any]) -> str:
    """Issuer and subject, which together never become somebody else's."""
    return f"{claims.get('iss', '')}|{claims['sub']}"
