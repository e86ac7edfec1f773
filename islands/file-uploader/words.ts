// The uploader's sentences. A page in another language brings them as JSON in `<script id="file-uploader-words">`.
import { wordsOf } from "./page";

export const say = wordsOf("file-uploader", {
  upload: "Upload of {name}",
  starting: "Starting …",
  sending: "{sent} of {total} · {speed} · {left} left",
  sendingFirst: "{sent} of {total}",
  paused: "Paused at {sent} of {total}. What has arrived is kept.",
  waiting: "Waiting for the network; what has arrived is kept.",
  signIn: "You were signed out. Sign in again in another tab, then the upload goes on; what has arrived is kept.",
  done: "{name} has arrived, all {total}.",
  failed: "The upload stopped: {reason}",
  refused: "the server does not take this file.",
  pause: "Pause",
  resume: "Go on",
  again: "Try again",
  forget: "Choose another file",
  offer: "The upload of {name} was interrupted. Choose the same file again, and it goes on where it stopped.",
  drop: "Give that upload up",
  sendLater: "This form is sent by itself as soon as the upload has finished. Leave this page open.",
  kept: "A copy is kept on this device until then: after a reload it goes on by itself.",
});
