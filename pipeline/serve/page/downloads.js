// What can be taken along.

import * as api from "./api.js";
import { $, make } from "./dom.js";

const DOWNLOADS = {
  "features.zip": "Features (Parquet)", "picture.svg": "Picture (SVG)", "picture.png": "Picture (PNG)", "picture.html": "Picture with tables (HTML)",
  "timeline.csv": "Timeline (CSV)", "timeline.json": "Timeline (JSON)", "timeline.parquet": "Timeline (Parquet)", "timeline.vtt": "Subtitles (VTT)", "timeline.srt": "Subtitles (SRT)", "timeline.svg": "Timeline (SVG)", "timeline.png": "Timeline (PNG)",
};

/** Links to all that there is of a version of a video. */
export function showDownloads(id, version, names) {
  $("downloads").replaceChildren(
    ...names.map((name) =>
      make("a", { class: "button", href: api.download(id, name, version), download: name }, DOWNLOADS[name] ?? name),
    ),
  );
}
