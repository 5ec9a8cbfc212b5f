// Talks to the server. An answer is {status, body, asked}; no answer (no network, too slow) is {status: 0}.
import { measured } from "./moments.js";

const SLOW = 20_000;

/** The session's token. Signing in, in whatever tab and as whomever, makes a new one; hence it is read at each request. */
export function token() {
  return document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/)?.[1] ?? "";
}

export async function call(url, { method = "GET", json, form, timeout = SLOW, signal } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeout);
  signal?.addEventListener("abort", () => stop.abort());
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = token();
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const asked = performance.now();
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: form ?? (json === undefined ? undefined : JSON.stringify(json)),
      credentials: "same-origin",
      cache: "no-store",
      signal: stop.signal,
    });
    const text = await response.text();
    let body = null;
    try {
      body = text ? JSON.parse(text) : null;
    } catch {
      // A page instead of an answer: of a proxy, or of a server that is just starting.
      return { status: response.ok ? 502 : response.status, body: null, asked };
    }
    if (body?.now) measured(body.now, asked);
    return { status: response.status, body, asked };
  } catch {
    return { status: 0, body: null, asked };
  } finally {
    clearTimeout(timer);
  }
}

/** What a problem document says, in one sentence, with the fields that are wrong. */
export function words(problem, otherwise = "The server refused it without a reason.") {
  if (!problem) return otherwise;
  const faults = (Array.isArray(problem.errors) ? problem.errors : [])
    .map(({ field, message }) => `${String(field ?? "").replace(/^.*\./, "")} ${message ?? ""}`.trim())
    .filter(Boolean);
  const said = problem.detail ?? problem.title ?? otherwise;
  return faults.some((fault) => said.includes(fault)) ? said : [said, ...faults].join(" · ");
}
