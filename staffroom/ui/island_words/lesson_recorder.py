"""What the recorder says. `islands/lesson-recorder/words.ts` tells which values a sentence takes."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "intro": _(
        "Your browser asks whether this page may use camera and microphone. Nothing is recorded until you press Record."
    ),
    "turnOn": _("Turn camera and microphone on"),
    "soundOnly": _("Record sound only"),
    "asking": _("Your browser is asking for camera and microphone …"),
    "denied": _(
        "This page may not use camera and microphone. Allow them in the browser's address bar, then try again."
    ),
    "missing": _("No camera or microphone was found. Connect one, or record sound only."),
    "busy": _("Another program is using the camera or microphone. Close it, then try again."),
    "unsupported": _("This browser cannot record. Record with any camera, and upload the file instead."),
    "tryAgain": _("Try again"),
    "camera": _("Camera"),
    "noCamera": _("No camera: sound only"),
    "microphone": _("Microphone"),
    "unnamed": _("Device {n}"),
    "preview": _("What the camera sees"),
    "soundPicture": _("Sound only: no picture is recorded."),
    "listening": _("Listening to the microphone …"),
    "hearing": _("Microphone is picking up sound."),
    "silence": _("No sound for 10 seconds: check the microphone."),
    "record": _("Record"),
    "pause": _("Pause"),
    "goOn": _("Go on recording"),
    "stop": _("Stop and keep"),
    "ready": _("Ready. Nothing is being recorded."),
    "recording": _("Recording"),
    "paused": _("Paused: nothing is being recorded"),
    "titleRecording": _("● {time} Recording"),
    "titlePaused": _("❚❚ {time} Paused"),
    "safe": _("Everything up to {time} has arrived."),
    "waiting": _("Waiting for the network. The recording goes on and is kept on this device."),
    "signedOut": _(
        "You were signed out. The recording goes on and is kept on this device; sign in again in another tab."
    ),
    "notKept": _("This device has no room left: do not close this page before everything has arrived."),
    "finishing": _("Sending the rest: {left} left. Leave this page open."),
    "finished": _("All of it has arrived."),
    "lost": _("The server no longer has the beginning of this recording. What is left is kept on this device."),
    "unplugged": _("Camera or microphone was disconnected. The recording was ended there, and is kept."),
    "found": _("An unfinished recording of {time} was found ({when})."),
    "finish": _("Finish it"),
    "discard": _("Delete it"),
    "discardSure": _("Delete this recording of {time} for good?"),
}
