// Uploads one file with tus-js-client, going on with an upload of the same file that an earlier process began.
import fs from "node:fs";
import * as tus from "tus-js-client";

const told = JSON.parse(process.argv[2]);
const stream = fs.createReadStream(told.file);
const upload = new tus.Upload(stream, {
  endpoint: told.endpoint,
  headers: told.headers,
  chunkSize: told.chunkSize ?? Infinity,
  uploadSize: fs.statSync(told.file).size,
  metadata: { filename: told.name ?? "lesson.mp4", filetype: "video/mp4", purpose: told.purpose ?? "lesson" },
  retryDelays: Array(60).fill(150),
  urlStorage: new tus.FileUrlStorage(told.urls),
  fingerprint: async () => "the-file",
  storeFingerprintForResuming: true,
  removeFingerprintOnSuccess: false,
  onError: (error) => {
    console.log("failed", String(error));
    process.exit(1);
  },
  onSuccess: () => {
    console.log("done", upload.url);
    process.exit(0);
  },
});
const previous = await upload.findPreviousUploads();
if (previous.length) upload.resumeFromPreviousUpload(previous[0]);
upload.start();
