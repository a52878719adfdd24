"""Who is at this browser: logged in with an identity provider, or named on the own machine."""

import unicodedata
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

from ui.formats import plain
from ui.login_cookie import subject_in
from ui.messages import show_error
from ui.state import PERSON, REVIEWER
from workbench import people
from workbench.people import Role
from workbench.runtime import Runtime

__all__ = ["acting_person", "clean_name", "identify"]

# The desk writes this cookie, too, whenever it learns who works at it (desk.js).
_COOKIE = "werkbench_reviewer"
_COOKIE_DAYS = 365
_MAX_CHARACTERS = 60
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRETS = """[auth]
redirect_uri = "https://werkbench.example.org/oauth2callback"
cookie_secret = "a long random text"
client_id = "from your provider"
client_secret = "from your provider"
server_metadata_url = "https://id.example.org/.well-known/openid-configuration"
"""


def identify(runtime: Runtime) -> Role:
    """Find out who is there, remember it for this run, and say what they may do.

    Does not return while somebody has to log in, to give a name, or to be let in by an admin; the
    screen says what to do.

    Raises:
        WerkbenchError: the name belongs to another account
    """
    is_logged_in = getattr(st.user, "is_logged_in", None)
    if is_logged_in is None:
        if not runtime.settings.people.trust_network and _is_open_to_others(runtime):
            _say_how_to_protect()
        name = _named(runtime)
    elif is_logged_in:
        name = _logged_in(runtime)
    else:
        _ask_to_log_in()
    st.session_state[PERSON] = name
    role = _role(runtime, name)
    if role == "none":
        _say_locked_out(name)
    return role


def acting_person(runtime: Runtime) -> str:
    """The person at this browser, by the name that is stored with what they do."""
    name: str = st.session_state.get(PERSON) or runtime.settings.review.reviewer
    return name


def clean_name(name: str) -> str:
    r"""A name without control characters and needless blanks, at most 60 characters.

    Examples:
        >>> clean_name("  Ann\n\u202eBee ")
        'Ann Bee'
    """
    visible = "".join(
        character if unicodedata.category(character)[0] != "C" else " " for character in name
    )
    return " ".join(visible.split())[:_MAX_CHARACTERS].strip()


def _role(runtime: Runtime, name: str) -> Role:
    return next(
        role for role in ("admin", "lead", "annotator", "none") if people.may(runtime, name, role)
    )


def _is_open_to_others(runtime: Runtime) -> bool:
    """Whether somebody beside this machine's own user can reach the pages, or just has."""
    # Streamlit gives no address to a browser on this machine.
    is_remote = isinstance(st.context.ip_address, str)
    is_forwarded = st.context.headers.get("X-Forwarded-For") is not None
    return runtime.settings.server.host not in _LOCAL or is_remote or is_forwarded


def _named(runtime: Runtime) -> str:
    """The name that was given in this browser, now or earlier.

    On a new installation nobody is held up by the question: until somebody gives a name, its only
    user works under the one in the settings.
    """
    default = runtime.settings.review.reviewer
    if REVIEWER not in st.session_state:
        remembered = clean_name(unquote(st.context.cookies.get(_COOKIE, "")))
        if not remembered and people.is_anybody_known(runtime):
            _ask_for_a_name()
        st.session_state[REVIEWER] = remembered or default
    typed = st.sidebar.text_input(
        "Your name",
        key=REVIEWER,
        max_chars=_MAX_CHARACTERS,
        persist_state="session",
        help="Stored with what you do. Two people need two names.",
    )
    name = clean_name(typed or "") or default
    if name == default and not people.is_anybody_known(runtime):
        return name
    person = people.sign_in(runtime, name, is_new_admin=True)
    _remember(person.name)
    st.sidebar.caption(f"Works here as {person.role}.")
    return person.name


def _ask_for_a_name() -> None:
    with st.container(width=480):
        st.title("Who are you?")
        with st.form("people.start", border=False):
            name = st.text_input(
                "Your name",
                key="people.start.name",
                max_chars=_MAX_CHARACTERS,
                help="Stored with what you do and remembered by this browser.",
            )
            if st.form_submit_button("Start", key="people.start.save", type="primary"):
                if clean_name(name):
                    st.session_state[REVIEWER] = clean_name(name)
                    st.rerun()
                st.warning("Type a name. Two people need two names.")
    st.stop()


def _remember(name: str) -> None:
    """Only letters, digits and percent signs of the name reach the script."""
    if st.context.cookies.get(_COOKIE) == quote(name, safe=""):
        return
    st.html(
        f"<script>document.cookie = '{_COOKIE}={quote(name, safe='')}; path=/; "
        f"max-age={_COOKIE_DAYS * 86_400}; SameSite=Lax';</script>",
        unsafe_allow_javascript=True,
    )


def _logged_in(runtime: Runtime) -> str:
    claims: Mapping[str, Any] = st.user.to_dict()
    person = people.sign_in(runtime, _name_in(claims), subject=subject_in(claims))
    with st.sidebar:
        # Markdown would make a link of an address.
        st.text(f"{person.name}, {person.role}")
        st.button("Log out", key="people.logout", icon=":material/logout:", on_click=st.logout)
    return person.name


def _name_in(claims: Mapping[str, Any]) -> str:
    """The address, unless the provider says that it has not been checked."""
    is_checked = claims.get("email_verified", True) is True
    address = claims.get("email") if is_checked else None
    return clean_name(str(address or f"{claims.get('name', 'Account')} ({claims['sub']})"))


def _ask_to_log_in() -> None:
    auth = st.secrets["auth"]
    providers = [name for name, value in auth.items() if isinstance(value, Mapping)]
    with st.container(width=480):
        st.title("Werkbench")
        if find_spec("authlib") is None:
            show_error(
                "Logging in needs the package Authlib.",
                "Install it with pip install 'werkbench[auth]', then start Werkbench again.",
            )
            st.stop()
        st.markdown("Log in to check transcripts.")
        for name in providers or [None]:
            st.button(
                f"Log in with {name}" if name else "Log in",
                key=f"people.login.{name or 'default'}",
                type="primary",
                icon=":material/login:",
                on_click=st.login,
                args=(name,) if name else (),
            )
    st.stop()


def _say_how_to_protect() -> None:
    with st.container(width=760):
        st.title("Who may come in?")
        st.warning(
            "Others can reach this server, and nothing says who they are. Nobody gets in until "
            "one of these is done; then start Werkbench again.",
            icon=":material/lock:",
        )
        st.markdown(
            "1. **Log in with your identity provider** (OpenID Connect). Put this into "
            "`.streamlit/secrets.toml` in the folder in which Werkbench starts, and name the "
            "first admin in `people.admins`."
        )
        st.code(_SECRETS, language="toml")
        st.markdown(
            "2. **Listen on this machine only**: `server.host: 127.0.0.1`, and no proxy.\n"
            "3. **Trust whoever reaches it**, because a proxy with passwords stands in front or "
            "the port is published to this machine only: `people.trust_network: true` "
            "(`WERKBENCH_PEOPLE__TRUST_NETWORK=true`)."
        )
    st.stop()


def _say_locked_out(name: str) -> None:
    with st.container(width=480):
        st.title("Not yet")
        st.info(
            f"{plain(name)} has no role here. Ask an admin to give you one on the people page.",
            icon=":material/hourglass_empty:",
        )
    st.stop()
