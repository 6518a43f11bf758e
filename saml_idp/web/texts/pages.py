"""Texts of the frame around every page, of the start page and of the error page."""

from collections.abc import Mapping
from typing import Final

PAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "page.language": {"en": "Language", "de": "Sprache"},
    "page.reference": {"en": "Reference number", "de": "Vorgangsnummer"},
    "page.reference_hint": {
        "en": "Give this number to your administrator if you need help.",
        "de": "Nennen Sie diese Nummer Ihrer Administration, wenn Sie Hilfe brauchen.",
    },
    "page.what_to_do": {"en": "What you can do", "de": "Was Sie tun können"},
    "home.title": {"en": "Sign-in service", "de": "Anmeldedienst"},
    "home.lead": {
        "en": "You sign in here once, and {organisation} knows that it is you.",
        "de": "Hier melden Sie sich an, und {organisation} weiß, dass Sie es sind.",
    },
    "home.services": {"en": "Go to a service", "de": "Zu einem Dienst"},
    "home.no_services": {
        "en": "Open the service you want to use. It brings you here when you need to sign in.",
        "de": "Öffnen Sie den Dienst, den Sie nutzen möchten. Er führt Sie zur Anmeldung hierher.",
    },
    "home.device": {"en": "My phone and my ID", "de": "Mein Telefon und meine ID"},
    "home.device_hint": {
        "en": "Open the approval app on this device.",
        "de": "Die Freigabe-App auf diesem Gerät öffnen.",
    },
    "home.admin": {"en": "Administration", "de": "Verwaltung"},
    "home.admin_hint": {
        "en": "People, IDs, services and policies.",
        "de": "Personen, IDs, Dienste und Richtlinien.",
    },
    "error.internal.title": {"en": "Something went wrong", "de": "Etwas ist schiefgegangen"},
    "error.internal.text": {
        "en": "This is our fault, not yours. Nobody was signed in.",
        "de": "Der Fehler liegt bei uns, nicht bei Ihnen. Es wurde niemand angemeldet.",
    },
    "error.internal.todo": {
        "en": "Go back to the service and sign in again.",
        "de": "Gehen Sie zum Dienst zurück und melden Sie sich neu an.",
    },
    "error.request_rejected.title": {
        "en": "This sign-in request can’t be used",
        "de": "Diese Anmeldeanfrage ist nicht verwendbar",
    },
    "error.request_rejected.text": {
        "en": "The service sent a request that is damaged, too old or not meant for us. "
        "For your safety we don’t answer it.",
        "de": "Der Dienst hat eine Anfrage gesendet, die beschädigt, zu alt oder nicht für uns "
        "bestimmt ist. Zu Ihrer Sicherheit beantworten wir sie nicht.",
    },
    "error.request_rejected.todo": {
        "en": "Open the service again from its own address, not from a bookmark of this page. "
        "If it happens again, tell your administrator.",
        "de": "Öffnen Sie den Dienst über seine eigene Adresse, nicht über ein Lesezeichen dieser "
        "Seite. Passiert es wieder, wenden Sie sich an Ihre Administration.",
    },
    "error.unknown_service.title": {
        "en": "We don’t know this service",
        "de": "Wir kennen diesen Dienst nicht",
    },
    "error.unknown_service.text": {
        "en": "The service that sent you here is not set up for signing in with us.",
        "de": "Der Dienst, der Sie hierher geschickt hat, ist bei uns nicht eingerichtet.",
    },
    "error.unknown_service.todo": {
        "en": "Check the address of the service. If it is right, tell your administrator.",
        "de": "Prüfen Sie die Adresse des Dienstes. Stimmt sie, wenden Sie sich an Ihre "
        "Administration.",
    },
    "error.configuration_error.title": {
        "en": "This service is not ready",
        "de": "Dieser Dienst ist nicht bereit",
    },
    "error.configuration_error.text": {
        "en": "Its settings contain a mistake. We sign nobody in until that is mended.",
        "de": "Seine Einstellungen enthalten einen Fehler. Bis er behoben ist, melden wir "
        "niemanden an.",
    },
    "error.configuration_error.todo": {
        "en": "Tell your administrator. They find the mistake in the log.",
        "de": "Informieren Sie Ihre Administration. Der Fehler steht im Protokoll.",
    },
    "error.no_login.title": {
        "en": "There is no sign-in under way here",
        "de": "Hier läuft gerade keine Anmeldung",
    },
    "error.no_login.text": {
        "en": "The sign-in was finished, it took too long, or this browser doesn’t keep our "
        "cookies.",
        "de": "Die Anmeldung ist beendet, hat zu lange gedauert, oder dieser Browser behält unsere "
        "Cookies nicht.",
    },
    "error.no_login.todo": {
        "en": "Go back to the service and sign in again. Cookies have to be allowed for this page.",
        "de": "Gehen Sie zum Dienst zurück und melden Sie sich neu an. Cookies müssen für diese "
        "Seite erlaubt sein.",
    },
    "error.forbidden.title": {
        "en": "This was not sent from our page",
        "de": "Das kam nicht von unserer Seite",
    },
    "error.forbidden.text": {
        "en": "We only accept what you send from our own pages, in the same browser.",
        "de": "Wir nehmen nur an, was Sie von unseren eigenen Seiten im selben Browser senden.",
    },
    "error.forbidden.todo": {
        "en": "Go back to the service and sign in again.",
        "de": "Gehen Sie zum Dienst zurück und melden Sie sich neu an.",
    },
    "error.not_allowed.title": {
        "en": "You are not allowed to do this",
        "de": "Dazu sind Sie nicht berechtigt",
    },
    "error.not_allowed.text": {
        "en": "Your account doesn’t have the permission for this page.",
        "de": "Ihr Konto hat für diese Seite keine Berechtigung.",
    },
    "error.not_allowed.todo": {
        "en": "If you need it, ask an administrator.",
        "de": "Wenn Sie sie brauchen, fragen Sie eine Administratorin oder einen Administrator.",
    },
    "error.not_found.title": {"en": "There is nothing here", "de": "Hier ist nichts"},
    "error.not_found.text": {
        "en": "The page doesn’t exist, or it was moved.",
        "de": "Diese Seite gibt es nicht oder nicht mehr.",
    },
    "error.not_found.todo": {
        "en": "Check the address, or open the service you want to use.",
        "de": "Prüfen Sie die Adresse, oder öffnen Sie den gewünschten Dienst.",
    },
    "error.throttled.title": {"en": "Too many tries", "de": "Zu viele Versuche"},
    "error.throttled.text": {
        "en": "There were too many tries in a short time.",
        "de": "Es gab zu viele Versuche in kurzer Zeit.",
    },
    "error.throttled.todo": {
        "en": "Wait a moment, then try again.",
        "de": "Warten Sie einen Moment und versuchen Sie es dann erneut.",
    },
    "error.busy.title": {"en": "It is very busy here", "de": "Hier ist gerade viel los"},
    "error.busy.text": {
        "en": "Many people are signing in right now.",
        "de": "Gerade melden sich sehr viele Personen an.",
    },
    "error.busy.todo": {
        "en": "Wait a few seconds, then reload this page.",
        "de": "Warten Sie einige Sekunden und laden Sie diese Seite neu.",
    },
    "error.store_unavailable.title": {
        "en": "Signing in is not possible right now",
        "de": "Die Anmeldung ist gerade nicht möglich",
    },
    "error.store_unavailable.text": {
        "en": "A part of this service doesn’t answer. Nothing was lost.",
        "de": "Ein Teil dieses Dienstes antwortet nicht. Es ist nichts verloren.",
    },
    "error.store_unavailable.todo": {
        "en": "Try again in a few minutes.",
        "de": "Versuchen Sie es in einigen Minuten erneut.",
    },
}
