"""What the uploader says. `islands/file-uploader/words.ts` tells which values a sentence takes."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "upload": _("Upload of {name}"),
    "starting": _("Starting …"),
    "sending": _("{sent} of {total} · {speed} · {left} left"),
    "sendingFirst": _("{sent} of {total}"),
    "paused": _("Paused at {sent} of {total}. What has arrived is kept."),
    "waiting": _("Waiting for the network; what has arrived is kept."),
    "signIn": _(
        "You were signed out. Sign in again in another tab, then the upload goes on; what has arrived is kept."
    ),
    "done": _("{name} has arrived, all {total}."),
    "failed": _("The upload stopped: {reason}"),
    "refused": _("the server does not take this file."),
    "pause": _("Pause"),
    "resume": _("Go on"),
    "again": _("Try again"),
    "forget": _("Choose another file"),
    "offer": _("The upload of {name} was interrupted. Choose the same file again, and it goes on where it stopped."),
    "drop": _("Give that upload up"),
    "sendLater": _("This form is sent by itself as soon as the upload has finished. Leave this page open."),
    "kept": _("A copy is kept on this device until then: after a reload it goes on by itself."),
}
