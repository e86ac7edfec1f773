// What the uploader says, and which values each sentence takes. The sentences come with the page: staffroom/ui/island_words.
import { wordsOf } from "./page";

export const say = wordsOf("file-uploader", {
  upload: ["name"],
  starting: [],
  sending: ["sent", "total", "speed", "left"],
  sendingFirst: ["sent", "total"],
  paused: ["sent", "total"],
  waiting: [],
  signIn: [],
  done: ["name", "total"],
  failed: ["reason"],
  refused: [],
  pause: [],
  resume: [],
  again: [],
  forget: [],
  offer: ["name"],
  drop: [],
  sendLater: [],
  kept: [],
});
