"""Texts of the pages that sign a person in."""

from collections.abc import Mapping
from typing import Final

LOGIN: Final[Mapping[str, Mapping[str, str]]] = {
    "login.title": {"en": "Sign in", "de": "Anmelden"},
    "login.to": {"en": "to {service}", "de": "bei {service}"},
    "login.step": {"en": "Step {number} of {count}", "de": "Schritt {number} von {count}"},
    "login.username": {"en": "User name", "de": "Benutzername"},
    "login.password": {"en": "Password", "de": "Passwort"},
    "login.show_password": {"en": "Show", "de": "Zeigen"},
    "login.hide_password": {"en": "Hide", "de": "Verbergen"},
    "login.show_password_label": {"en": "Show password", "de": "Passwort zeigen"},
    "login.hide_password_label": {"en": "Hide password", "de": "Passwort verbergen"},
    "login.remember": {
        "en": "Remember my user name in this browser",
        "de": "Benutzernamen in diesem Browser merken",
    },
    "login.continue": {"en": "Continue", "de": "Weiter"},
    "login.one_moment": {"en": "One moment …", "de": "Einen Moment …"},
    "login.cancel": {"en": "Cancel", "de": "Abbrechen"},
    "login.next": {
        "en": "Next, you approve the sign-in on your phone.",
        "de": "Danach geben Sie die Anmeldung auf Ihrem Telefon frei.",
    },
    "login.wrong_name_or_password": {
        "en": "User name or password is wrong. Check both and try again.",
        "de": "Benutzername oder Passwort ist falsch. Prüfen Sie beides und versuchen Sie es "
        "erneut.",
    },
    "login.throttled": {
        "en": "Too many tries. Please wait {seconds} seconds.",
        "de": "Zu viele Versuche. Bitte warten Sie {seconds} Sekunden.",
    },
    "login.throttled_over": {
        "en": "You can try again now.",
        "de": "Sie können es erneut versuchen.",
    },
    "name.label": {"en": "ID or user name", "de": "ID oder Benutzername"},
    "name.missing": {
        "en": "Enter your ID or your user name.",
        "de": "Geben Sie Ihre ID oder Ihren Benutzernamen ein.",
    },
    "approval.title": {"en": "Approve on your phone", "de": "Auf dem Telefon freigeben"},
    "approval.person": {"en": "Signing in as", "de": "Anmeldung als"},
    "approval.restart": {"en": "Not you?", "de": "Nicht Sie?"},
    "approval.how": {
        "en": "Open the approval app and tap these symbols, in this order:",
        "de": "Öffnen Sie die Freigabe-App und tippen Sie diese Symbole in dieser Reihenfolge an:",
    },
    "approval.how_one": {
        "en": "Open the approval app and tap this symbol:",
        "de": "Öffnen Sie die Freigabe-App und tippen Sie dieses Symbol an:",
    },
    "approval.row": {"en": "Access symbols", "de": "Zugangssymbole"},
    "approval.scan": {
        "en": "Or scan this with your phone’s camera: then you needn’t tap the symbols.",
        "de": "Oder mit der Kamera des Telefons scannen: dann brauchen Sie die Symbole nicht zu "
        "tippen.",
    },
    "approval.qr": {
        "en": "QR code that opens this approval on your phone",
        "de": "QR-Code, der diese Freigabe auf Ihrem Telefon öffnet",
    },
    "approval.show_qr": {"en": "Show a QR code", "de": "QR-Code zeigen"},
    "approval.this_device": {
        "en": "Approve on this device",
        "de": "Auf diesem Gerät freigeben",
    },
    "approval.new_tab": {"en": "opens a new tab", "de": "öffnet einen neuen Tab"},
    "approval.waiting": {
        "en": "Waiting for your approval",
        "de": "Warten auf Ihre Freigabe",
    },
    "approval.offline": {
        "en": "No connection. We keep trying.",
        "de": "Keine Verbindung. Wir versuchen es weiter.",
    },
    "approval.answered": {
        "en": "Your answer is here. One moment …",
        "de": "Ihre Antwort ist da. Einen Moment …",
    },
    "approval.over": {"en": "The time is over.", "de": "Die Zeit ist abgelaufen."},
    "approval.time_left": {"en": "Time left", "de": "Verbleibende Zeit"},
    "approval.seconds_left": {
        "en": "{seconds} seconds left. When the time is over you can ask again.",
        "de": "Noch {seconds} Sekunden. Danach können Sie erneut fragen.",
    },
    "approval.approved_go_on": {
        "en": "I have approved, go on",
        "de": "Ich habe freigegeben, weiter",
    },
    "approval.no_script": {
        "en": "This page looks for your answer every few seconds.",
        "de": "Diese Seite sieht alle paar Sekunden nach Ihrer Antwort.",
    },
    "approval.ask_again": {"en": "Ask again", "de": "Erneut fragen"},
    "approval.failed.title": {
        "en": "Those were the wrong symbols",
        "de": "Das waren die falschen Symbole",
    },
    "approval.failed.text": {
        "en": "The symbols tapped on the phone don’t match. That approval is void. Ask again for "
        "new symbols.",
        "de": "Die auf dem Telefon getippten Symbole passen nicht. Diese Freigabe ist ungültig. "
        "Fragen Sie erneut, dann erscheinen neue Symbole.",
    },
    "approval.expired.title": {
        "en": "No answer in time",
        "de": "Keine Antwort innerhalb der Zeit",
    },
    "approval.expired.text": {
        "en": "Have your phone at hand with the approval app open, then ask again.",
        "de": "Nehmen Sie Ihr Telefon zur Hand, öffnen Sie die Freigabe-App und fragen Sie erneut.",
    },
    "approval.limited.title": {
        "en": "Too many requests for now",
        "de": "Vorerst zu viele Anfragen",
    },
    "approval.limited.text": {
        "en": "So that nobody can pester you, your phone is only asked a few times in a quarter "
        "of an hour. Wait a little, then ask again.",
        "de": "Damit niemand Sie bedrängen kann, wird Ihr Telefon in einer Viertelstunde nur "
        "wenige Male gefragt. Warten Sie etwas und fragen Sie dann erneut.",
    },
    "approval.waiting_other.title": {
        "en": "Another browser is asking",
        "de": "Ein anderer Browser fragt gerade",
    },
    "approval.waiting_other.text": {
        "en": "Your phone is showing a sign-in from another browser. Answer that one first. If it "
        "isn’t yours, tap “This wasn’t me” there.",
        "de": "Ihr Telefon zeigt gerade eine Anmeldung aus einem anderen Browser. Beantworten Sie "
        "zuerst diese. Ist sie nicht von Ihnen, tippen Sie dort auf „Das war ich nicht“.",
    },
    "ended.denied.title": {"en": "You said no", "de": "Sie haben abgelehnt"},
    "ended.denied.text": {
        "en": "The sign-in was denied on your device. Nobody was signed in.",
        "de": "Die Anmeldung wurde auf Ihrem Gerät abgelehnt. Es wurde niemand angemeldet.",
    },
    "ended.not_me.title": {"en": "Reported and stopped", "de": "Gemeldet und beendet"},
    "ended.not_me.text": {
        "en": "The device said that this was someone else. The sign-in is stopped and the "
        "administrators are told.",
        "de": "Auf dem Gerät wurde gemeldet, dass jemand anderes sich anmelden wollte. Die "
        "Anmeldung ist beendet und die Administration informiert.",
    },
    "ended.expired.title": {
        "en": "This sign-in took too long",
        "de": "Diese Anmeldung hat zu lange gedauert",
    },
    "ended.expired.text": {
        "en": "For your safety a sign-in is only open for a few minutes.",
        "de": "Zu Ihrer Sicherheit bleibt eine Anmeldung nur wenige Minuten offen.",
    },
    "ended.cancelled.title": {"en": "Sign-in cancelled", "de": "Anmeldung abgebrochen"},
    "ended.cancelled.text": {"en": "Nobody was signed in.", "de": "Es wurde niemand angemeldet."},
    "ended.no_identity.title": {
        "en": "You don’t have an ID yet",
        "de": "Sie haben noch keine ID",
    },
    "ended.no_identity.text": {
        "en": "Your password is right, but signing in also needs an approval on your phone. Ask "
        "your administrator to give you an ID.",
        "de": "Ihr Passwort stimmt, aber zur Anmeldung gehört auch eine Freigabe auf Ihrem "
        "Telefon. Bitten Sie Ihre Administration um eine ID.",
    },
    "ended.no_device.title": {
        "en": "No device is set up for your ID",
        "de": "Für Ihre ID ist kein Gerät eingerichtet",
    },
    "ended.no_device.text": {
        "en": "Ask your administrator for a link that sets up your phone.",
        "de": "Bitten Sie Ihre Administration um einen Link, der Ihr Telefon einrichtet.",
    },
    "ended.not_in_groups.title": {
        "en": "This service is not open to you",
        "de": "Dieser Dienst steht Ihnen nicht offen",
    },
    "ended.not_in_groups.text": {
        "en": "Your account isn’t in a group that may use it. If you need it, ask your "
        "administrator.",
        "de": "Ihr Konto gehört zu keiner Gruppe, die ihn nutzen darf. Brauchen Sie ihn, fragen "
        "Sie Ihre Administration.",
    },
    "ended.policy_changed.title": {
        "en": "The rules have changed",
        "de": "Die Regeln haben sich geändert",
    },
    "ended.policy_changed.text": {
        "en": "While you were signing in, an administrator changed what this service asks for. "
        "Start again.",
        "de": "Während Ihrer Anmeldung wurde geändert, was dieser Dienst verlangt. Beginnen Sie "
        "neu.",
    },
    "ended.not_ready.title": {
        "en": "This service is not ready",
        "de": "Dieser Dienst ist nicht bereit",
    },
    "ended.not_ready.text": {
        "en": "Its settings don’t allow us to sign you in. Tell your administrator.",
        "de": "Seine Einstellungen lassen keine Anmeldung zu. Informieren Sie Ihre Administration.",
    },
    "ended.unsupported.title": {
        "en": "We can’t sign you in this way",
        "de": "So können wir Sie nicht anmelden",
    },
    "ended.unsupported.text": {
        "en": "The service asks for a kind of sign-in that we don’t offer. Tell your "
        "administrator.",
        "de": "Der Dienst verlangt eine Art der Anmeldung, die wir nicht anbieten. Informieren "
        "Sie Ihre Administration.",
    },
    "ended.refused.title": {"en": "Sign-in refused", "de": "Anmeldung abgelehnt"},
    "ended.refused.text": {
        "en": "This sign-in could not be completed. Nobody was signed in.",
        "de": "Diese Anmeldung konnte nicht abgeschlossen werden. Es wurde niemand angemeldet.",
    },
    "ended.back": {"en": "Back to {service}", "de": "Zurück zu {service}"},
    "ended.restart": {"en": "Start again", "de": "Neu beginnen"},
    "ended.no_way_back": {
        "en": "You can close this page, or open the service again to start over.",
        "de": "Sie können diese Seite schließen oder den Dienst neu öffnen, um von vorn zu "
        "beginnen.",
    },
    "respond.title": {"en": "You are signed in", "de": "Sie sind angemeldet"},
    "respond.title_refused": {"en": "Going back", "de": "Es geht zurück"},
    "respond.text": {
        "en": "One moment, {service} opens …",
        "de": "Einen Moment, {service} wird geöffnet …",
    },
    "respond.button": {"en": "Go on to {service}", "de": "Weiter zu {service}"},
    "moved.title": {"en": "Already answered", "de": "Bereits beantwortet"},
    "moved.text": {
        "en": "This sign-in is finished. Its answer is given only once, so that nobody can use it "
        "again.",
        "de": "Diese Anmeldung ist abgeschlossen. Ihre Antwort wird nur einmal gegeben, damit "
        "niemand sie erneut verwenden kann.",
    },
    "moved.todo": {
        "en": "If you aren’t signed in, open the service again.",
        "de": "Falls Sie nicht angemeldet sind, öffnen Sie den Dienst noch einmal.",
    },
    "moved.open": {"en": "Open {service}", "de": "{service} öffnen"},
}
