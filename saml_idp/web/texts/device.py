"""Texts of the phone web app. Its script fills in the ``{name}`` marks itself."""

from collections.abc import Mapping
from typing import Final

DEVICE: Final[Mapping[str, Mapping[str, str]]] = {
    "device.title": {"en": "Approvals", "de": "Freigaben"},
    "device.short_title": {"en": "Approve", "de": "Freigabe"},
    "device.description": {
        "en": "Approve sign-ins with your ID.",
        "de": "Anmeldungen mit Ihrer ID freigeben.",
    },
    "device.starting": {"en": "One moment …", "de": "Einen Moment …"},
    "device.no_script": {
        "en": "This app needs JavaScript, since your key stays in this device and signs here.",
        "de": "Diese App braucht JavaScript, denn Ihr Schlüssel bleibt in diesem Gerät und "
        "unterschreibt hier.",
    },
    "device.unfit.title": {
        "en": "This browser can’t keep a key",
        "de": "Dieser Browser kann keinen Schlüssel aufbewahren",
    },
    "device.unfit.text": {
        "en": "Use a current browser, outside of its private mode, over a secure connection.",
        "de": "Verwenden Sie einen aktuellen Browser, nicht im privaten Modus, über eine sichere "
        "Verbindung.",
    },
    "device.idle.title": {"en": "Nothing to approve", "de": "Nichts freizugeben"},
    "device.idle.text": {
        "en": "When you sign in somewhere, the question appears here.",
        "de": "Wenn Sie sich irgendwo anmelden, erscheint die Frage hier.",
    },
    "device.offline": {
        "en": "No connection. We keep trying.",
        "de": "Keine Verbindung. Wir versuchen es weiter.",
    },
    "device.ids": {"en": "IDs on this device", "de": "IDs auf diesem Gerät"},
    "device.id_at": {"en": "at {idp}", "de": "bei {idp}"},
    "device.known_as": {"en": "This device: {name}", "de": "Dieses Gerät: {name}"},
    "device.remove": {"en": "Remove this device", "de": "Dieses Gerät entfernen"},
    "device.remove.title": {
        "en": "Remove this device from {identity}?",
        "de": "Dieses Gerät von {identity} entfernen?",
    },
    "device.remove.text": {
        "en": "You can’t approve sign-ins with it any more. To use it again you need a new "
        "invitation.",
        "de": "Sie können damit keine Anmeldungen mehr freigeben. Um es wieder zu nutzen, brauchen "
        "Sie eine neue Einladung.",
    },
    "device.removed": {"en": "The device was removed.", "de": "Das Gerät wurde entfernt."},
    "device.retired": {
        "en": "{identity}: this device was removed by an administrator or from another device.",
        "de": "{identity}: dieses Gerät wurde von der Administration oder einem anderen Gerät aus "
        "entfernt.",
    },
    "device.cancel": {"en": "Cancel", "de": "Abbrechen"},
    "device.done": {"en": "Done", "de": "Fertig"},
    "device.add": {"en": "Add an ID", "de": "ID hinzufügen"},
    "device.welcome.title": {"en": "Set up this device", "de": "Dieses Gerät einrichten"},
    "device.welcome.text": {
        "en": "Your administrator gives you an invitation: a link, a QR code or a code. Open the "
        "link here, or enter the code.",
        "de": "Von Ihrer Administration erhalten Sie eine Einladung: einen Link, einen QR-Code "
        "oder einen Code. Öffnen Sie den Link hier, oder geben Sie den Code ein.",
    },
    "device.welcome.home_screen": {
        "en": "On an iPhone or iPad: add this page to the home screen first, then set it up "
        "there. The key stays in the app it was made in.",
        "de": "Auf iPhone oder iPad: legen Sie diese Seite zuerst auf den Home-Bildschirm und "
        "richten Sie sie dort ein. Der Schlüssel bleibt in der App, in der er entstanden ist.",
    },
    "device.welcome.code": {"en": "Link or code", "de": "Link oder Code"},
    "device.welcome.next": {"en": "Continue", "de": "Weiter"},
    "device.welcome.bad_code": {
        "en": "This isn’t an invitation. Copy the whole link.",
        "de": "Das ist keine Einladung. Kopieren Sie den ganzen Link.",
    },
    "device.enrol.title": {"en": "Set up this device", "de": "Dieses Gerät einrichten"},
    "device.enrol.text": {
        "en": "A key is made that never leaves this device. With it you approve your sign-ins.",
        "de": "Es entsteht ein Schlüssel, der dieses Gerät nie verlässt. Mit ihm geben Sie Ihre "
        "Anmeldungen frei.",
    },
    "device.enrol.name": {"en": "Name of this device", "de": "Name dieses Geräts"},
    "device.enrol.name_hint": {
        "en": "So that you recognise it later.",
        "de": "Damit Sie es später wiedererkennen.",
    },
    "device.enrol.default_name": {"en": "My phone", "de": "Mein Telefon"},
    "device.enrol.password": {"en": "Your password", "de": "Ihr Passwort"},
    "device.enrol.password_hint": {
        "en": "The one you sign in with. Leave it empty if you have none.",
        "de": "Das, mit dem Sie sich anmelden. Lassen Sie es leer, wenn Sie keines haben.",
    },
    "device.enrol.submit": {"en": "Set up", "de": "Einrichten"},
    "device.enrol.done": {
        "en": "This device now belongs to the ID {identity}.",
        "de": "Dieses Gerät gehört jetzt zur ID {identity}.",
    },
    "device.enrol.done_title": {"en": "It is set up", "de": "Eingerichtet"},
    "device.approval.title": {"en": "Is this you?", "de": "Sind Sie das?"},
    "device.approval.signing_in": {"en": "Signing in to", "de": "Anmeldung bei"},
    "device.approval.as": {"en": "ID", "de": "ID"},
    "device.approval.from": {"en": "From", "de": "Von"},
    "device.approval.browser": {"en": "Browser", "de": "Browser"},
    "device.approval.at": {"en": "Asked at", "de": "Gefragt um"},
    "device.approval.time_left": {"en": "Time left", "de": "Verbleibende Zeit"},
    "device.approval.seconds_left": {
        "en": "{seconds} seconds left",
        "de": "Noch {seconds} Sekunden",
    },
    "device.approval.other": {
        "en": "Another browser is trying to sign in with your ID too. If you started only one "
        "sign-in, tap “This wasn’t me”.",
        "de": "Ein anderer Browser versucht ebenfalls, sich mit Ihrer ID anzumelden. Haben Sie "
        "nur eine Anmeldung begonnen, tippen Sie auf „Das war ich nicht“.",
    },
    "device.approval.tap": {
        "en": "Tap the login page’s {count} symbols",
        "de": "Die {count} Symbole der Anmeldeseite",
    },
    "device.approval.tap_one": {
        "en": "Tap the login page’s symbol",
        "de": "Das Symbol der Anmeldeseite",
    },
    "device.approval.scanned": {
        "en": "The symbols came with the scan. Check the details above, then approve.",
        "de": "Die Symbole kamen mit dem Scan. Prüfen Sie die Angaben oben, dann geben Sie frei.",
    },
    "device.approval.row": {"en": "Entered symbols", "de": "Eingegebene Symbole"},
    "device.approval.grid": {"en": "All symbols", "de": "Alle Symbole"},
    "device.approval.entered": {
        "en": "{symbol}, {number} of {count}",
        "de": "{symbol}, {number} von {count}",
    },
    "device.approval.undone": {
        "en": "Removed. {number} of {count}",
        "de": "Entfernt. {number} von {count}",
    },
    "device.approval.undo": {"en": "Undo", "de": "Zurück"},
    "device.approval.undo_label": {
        "en": "Undo: remove the last symbol",
        "de": "Zurück: das letzte Symbol entfernen",
    },
    "device.approval.type": {
        "en": "Type the letters instead",
        "de": "Stattdessen die Buchstaben eintippen",
    },
    "device.approval.typed": {"en": "Letters and digits", "de": "Buchstaben und Ziffern"},
    "device.approval.approve": {"en": "Approve", "de": "Freigeben"},
    "device.approval.deny": {"en": "Deny", "de": "Ablehnen"},
    "device.approval.not_me": {"en": "This wasn’t me", "de": "Das war ich nicht"},
    "device.approval.not_me.title": {
        "en": "Someone else is signing in as you?",
        "de": "Meldet sich jemand anderes als Sie an?",
    },
    "device.approval.not_me.text": {
        "en": "We stop this sign-in, tell the administrators and refuse unknown browsers for 15 "
        "minutes. If you didn’t start it, someone may know your password: change it.",
        "de": "Wir beenden diese Anmeldung, informieren die Administration und weisen unbekannte "
        "Browser 15 Minuten lang ab. Haben Sie sie nicht begonnen, kennt vielleicht jemand Ihr "
        "Passwort: ändern Sie es.",
    },
    "device.approval.not_me.yes": {
        "en": "Stop it and report",
        "de": "Beenden und melden",
    },
    "device.trial.title": {"en": "Try it", "de": "Probieren Sie es aus"},
    "device.trial.text": {
        "en": "This is only a test. Approve it to see that your device works.",
        "de": "Das ist nur ein Test. Geben Sie ihn frei, um zu sehen, dass Ihr Gerät funktioniert.",
    },
    "device.trial.approve": {"en": "Approve this test", "de": "Test freigeben"},
    "device.trial.later": {"en": "Not now", "de": "Nicht jetzt"},
    "device.more": {"en": "{count} more waiting", "de": "{count} weitere warten"},
    "device.result.granted.title": {"en": "Approved", "de": "Freigegeben"},
    "device.result.granted.text": {
        "en": "Go on in the browser where you are signing in.",
        "de": "Weiter geht es in dem Browser, in dem Sie sich anmelden.",
    },
    "device.result.trial.title": {"en": "It works", "de": "Es funktioniert"},
    "device.result.trial.text": {
        "en": "When you sign in, open this app and approve.",
        "de": "Wenn Sie sich anmelden, öffnen Sie diese App und geben Sie frei.",
    },
    "device.result.denied.title": {"en": "Denied", "de": "Abgelehnt"},
    "device.result.denied.text": {
        "en": "Nobody was signed in.",
        "de": "Es wurde niemand angemeldet.",
    },
    "device.result.not_me.title": {"en": "Stopped and reported", "de": "Beendet und gemeldet"},
    "device.result.not_me.text": {
        "en": "Nobody was signed in. The administrators are told.",
        "de": "Es wurde niemand angemeldet. Die Administration ist informiert.",
    },
    "device.result.failed.title": {"en": "Wrong symbols", "de": "Falsche Symbole"},
    "device.result.failed.text": {
        "en": "They weren’t the ones on the login page. Ask again there for new ones.",
        "de": "Das waren nicht die Symbole der Anmeldeseite. Fragen Sie dort erneut nach neuen.",
    },
    "device.result.over.title": {"en": "This question is over", "de": "Diese Frage ist vorbei"},
    "device.result.over.text": {
        "en": "It was answered elsewhere, cancelled, or its time ran out.",
        "de": "Sie wurde anderswo beantwortet, abgebrochen, oder ihre Zeit ist abgelaufen.",
    },
    "device.result.unknown.title": {
        "en": "We can’t find this question",
        "de": "Diese Frage ist nicht zu finden",
    },
    "device.result.unknown.text": {
        "en": "It is over, or it is for an ID that isn’t on this device.",
        "de": "Sie ist vorbei, oder sie gilt einer ID, die nicht auf diesem Gerät ist.",
    },
    "device.error.code": {
        "en": "This invitation is used up, too old or wrong. Ask for a new one.",
        "de": "Diese Einladung ist verbraucht, abgelaufen oder falsch. Bitten Sie um eine neue.",
    },
    "device.error.password": {
        "en": "The password is wrong. Try again.",
        "de": "Das Passwort ist falsch. Versuchen Sie es erneut.",
    },
    "device.error.throttled": {
        "en": "Too many tries. Wait {seconds} seconds.",
        "de": "Zu viele Versuche. Warten Sie {seconds} Sekunden.",
    },
    "device.error.offline": {
        "en": "No connection. Try again.",
        "de": "Keine Verbindung. Versuchen Sie es erneut.",
    },
    "device.error.clock": {
        "en": "The clock of this device is wrong. Set it, then try again.",
        "de": "Die Uhr dieses Geräts geht falsch. Stellen Sie sie und versuchen Sie es erneut.",
    },
    "device.error.other": {
        "en": "That didn’t work. Try again.",
        "de": "Das hat nicht geklappt. Versuchen Sie es erneut.",
    },
}
