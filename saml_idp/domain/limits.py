"""Bounds of time and number that the settings fix for all logins."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a login and a session live, and how many logins may be open at once."""

    login_lifetime: timedelta
    session_idle: timedelta
    session_whole: timedelta
    open_attempts: int
