// The JSON API, which is described in /api/openapi.json. The page uses nothing else.

/** An answer that says why there is none. */
export class Refused extends Error {
  constructor(message, status, retry_s) {
    super(message);
    this.status = status;
    this.retry_s = retry_s;
  }
}

async function ask(method, path, body, signal) {
  const request = { method, signal, cache: "no-store" };
  if (body !== undefined) {
    request.headers = { "Content-Type": "application/json" };
    request.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Was it ended?", 0, null);
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
  if (!answer.ok) {
    throw new Refused(said.error, answer.status, Number(answer.headers.get("Retry-After")) || null);
  }
  return said;
}

const at = (id, part = "", version = null) =>
  `/api/uploads/${encodeURIComponent(id)}${part}` + (version ? `?version=${version}` : "");

export const about = () => ask("GET", "/api/about");
export const login = (token) => ask("POST", "/api/login", { token });
export const remove = (id) => ask("DELETE", at(id));
export const found = (id, version) => ask("GET", at(id, "/found", version));
export const face = (id, version, from, to) =>
  ask("GET", `${at(id, "/face", version)}&start_s=${from}&end_s=${to}`);
export const correct = (id, version, clip, words) => ask("PUT", at(id, "/words"), { version, clip, words });
export const score = (id, question, signal) => ask("POST", at(id, "/scores"), question, signal);
export const damage = (id, damages) => ask("POST", at(id, "/damage"), { damages });
export const video = (id, version) => at(id, "/video", version);
export const download = (id, name, version) => at(id, `/${name}`, version);

const PATIENCE = 20; // times that a server which gives no answer is asked again

/** Where an upload is. Whoever waits for it for minutes outlasts a moment without an answer. */
export async function state(id) {
  for (let left = PATIENCE; ; left--) {
    try {
      return await ask("GET", at(id));
    } catch (error) {
      if (!left || (error.status !== 0 && error.status !== 503)) throw error;
      await new Promise((go) => setTimeout(go, 1000 * Math.min(error.retry_s ?? 1, 5)));
    }
  }
}

/** Send a file; `told` hears which share of it has arrived. */
export function upload(file, told) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => event.lengthComputable && told(event.loaded / event.total);
    request.onerror = () =>
      reject(new Refused("The connection was closed while the file was sent. Please try again.", 0, 5));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onload = () => {
      let said;
      try {
        said = JSON.parse(request.responseText);
      } catch {
        said = { error: `The server answered ${request.status}.` };
      }
      if (request.status === 202) resolve(said);
      else reject(new Refused(said.error, request.status, Number(request.getResponseHeader("Retry-After")) || null));
    };
  });
  request.open("POST", "/api/uploads");
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, stop: () => request.abort() };
}
