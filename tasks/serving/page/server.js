// Requests to the server of this page.

const PATIENCE = 3; // times that a busy server is asked again
let token = "";

/** A request that the server refused; `code` is the status. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Remember the token that the server asks for, until the page is closed. */
export function useToken(value) {
  token = value;
}

/** Return the headers of a request, with the token if there is one. */
function headers(kind) {
  return { ...(kind && { "Content-Type": kind }), ...(token && { Authorization: `Bearer ${token}` }) };
}

/** Return what the server says of its tasks. */
export function served() {
  return answered(() => fetch("v1/tasks", { headers: headers() }));
}

/**
 * Return the answer of a task to one input, a text or a picture (Blob), with `milliseconds` of the server.
 *
 * A busy server is asked again after the time that it names. Throws `Refused`, or `AbortError` after `signal`.
 */
export function ask(task, input, settings, signal) {
  const isText = typeof input === "string";
  const query = isText ? "" : new URLSearchParams(settings).toString();
  const body = isText ? JSON.stringify({ input, ...settings }) : input;
  const kind = isText ? "application/json" : pictureKind(input);
  const address = `v1/${task}${query && `?${query}`}`;
  return answered(() => fetch(address, { method: "POST", body, headers: headers(kind), signal }), signal);
}

async function answered(send, signal) {
  for (let attempt = 1; ; attempt += 1) {
    let response;
    try {
      response = await send();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused(0, "The server does not answer; look whether it still runs.");
    }
    if (response.ok) return response.json();
    const seconds = Number(response.headers.get("Retry-After"));
    if (![429, 503].includes(response.status) || !(seconds > 0 && seconds <= 5) || attempt > PATIENCE) {
      throw new Refused(response.status, await sentence(response));
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    signal?.throwIfAborted();
  }
}

/** Return the sentence of a refusal. */
async function sentence(response) {
  try {
    return (await response.json()).error.message;
  } catch {
    return `The server refused this with status ${response.status}.`;
  }
}

/**
 * Return a function that does `work(signal)` for the newest of many changes.
 *
 * Not live: `wait` milliseconds after the last change; what still runs is given up. Live: while changes go on, one
 * after another, at least `wait` milliseconds apart.
 */
export function newest(work, wait, { live = false } = {}) {
  let timer = 0;
  let running = null;
  let again = false;

  async function run() {
    timer = 0;
    if (live && running) {
      again = true;
      return;
    }
    running?.abort();
    const mine = running = new AbortController();
    await work(mine.signal);
    if (running !== mine) return;
    running = null;
    if (again) {
      again = false;
      run();
    }
  }

  return () => {
    if (live && timer) return;
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`; // for a shell
const python = (value) => (typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value));
const pictureKind = (blob) => (blob.type.startsWith("image/") ? blob.type : "application/octet-stream");

/**
 * Return a line for a shell and one for Python that send the same request.
 *
 * `file` is what stands in for a picture: `{ name, kind, address }`, with an address if the server has the file.
 */
export function lines(task, input, settings, file) {
  const address = new URL(`v1/${task}`, location.href).href;
  const secret = token ? ` -H "Authorization: Bearer $TOKEN"` : "";
  const own = token ? `, "Authorization": "Bearer " + __import__("os").environ["TOKEN"]` : "";
  if (!file) {
    const body = JSON.stringify({ input, ...settings });
    const words = Object.entries({ input, ...settings }).map(([name, value]) => `${JSON.stringify(name)}: ${python(value)}`);
    return {
      curl: `curl -sS ${address} -H 'Content-Type: application/json'${secret} -d ${quoted(body)}`,
      python: request(address, `json.dumps({${words.join(", ")}}).encode()`, `"application/json"${own}`),
    };
  }
  const query = new URLSearchParams(settings).toString();
  const whole = address + (query && `?${query}`);
  const from = file.address ? `curl -sS ${file.address} | ` : "";
  const body = file.address ? `web.urlopen(${python(file.address)}).read()` : `open(${python(file.name)}, "rb").read()`;
  return {
    curl: `${from}curl -sS ${quoted(whole)} -H 'Content-Type: ${file.kind}'${secret} --data-binary ${file.address ? "@-" : quoted(`@${file.name}`)}`,
    python: request(whole, body, `${python(file.kind)}${own}`),
  };
}

function request(address, body, headersOf) {
  const made = `web.Request(${JSON.stringify(address)}, ${body}, {"Content-Type": ${headersOf}})`;
  return `import json, urllib.request as web; print(json.load(web.urlopen(${made})))`;
}
