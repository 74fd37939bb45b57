// Requests to the server: JSON, pictures, uploads and streams of events.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const RETRIES = 8;
export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function refusal(response) {
  try {
    return new Refused(response.status, (await response.json()).error.message);
  } catch {
    return new Refused(response.status, "the server answered " + response.status);
  }
}

export async function ask(path, options = {}) {
  for (let attempt = 0; ; attempt++) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, "the server does not answer; is `enlighten serve` still running?");
    }
    if (response.ok) return response;
    if (response.status !== 429 || attempt === RETRIES) throw await refusal(response);
    await pause(400 * (attempt + 1)); // the server is busy and asked for another try
  }
}

export const askJson = async (path, options) => (await ask(path, options)).json();

export const post = (path, value, signal) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value), signal });

export async function lines(response, each) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const parts = (rest + (value || "")).split("\n");
    rest = parts.pop();
    for (const part of parts) each(JSON.parse(part));
    if (done) return;
  }
}

// With XMLHttpRequest, because fetch does not report the progress of an upload.
export function upload(path, file, onProgress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total));
    request.onerror = () => failed(new Refused(0, "the file could not be sent; is `enlighten serve` still running?"));
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // then the status is reported
      }
      if (request.status < 300) done(answer);
      else failed(new Refused(request.status, answer.error?.message || "the server answered " + request.status));
    };
    request.send(file);
  });
}
