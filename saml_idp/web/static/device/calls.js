// The calls of the device protocol. Every call but the enrolment is signed by the device's key.

import { makeKeys, publicJwk, signed, token } from "./messages.js";
import { forgetId, keepId } from "./store.js";

const page = document.body.dataset;
const ROOT = `${page.baseUrl}/device/v1`;
const ANSWER_LIFETIME_SECONDS = 60;
const GREAT_OFFSET_SECONDS = 20;
const PATIENCE_MS = 15000;

let clockOffset = 0; // server minus device, in seconds: a phone's clock may be wrong

/** An error answer (RFC 9457), or "offline". */
export class CallFailed extends Error {
  constructor(code, status = 0, retryAfter = 0) {
    super(code);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

function now() {
  return Math.floor(Date.now() / 1000 + clockOffset);
}

function common(entityId) {
  return { aud: entityId, iat: now(), jti: token() };
}

/** Note the server's time; return true when our clock was far off, so that trying again helps. */
function noteClock(answer) {
  const server = Date.parse(answer.headers.get("Date") ?? "");
  if (Number.isNaN(server)) return false;
  const offset = (server - Date.now()) / 1000;
  const far = Math.abs(offset - clockOffset) > GREAT_OFFSET_SECONDS;
  clockOffset = Math.abs(offset) > 2 ? offset : 0;
  return far;
}

async function sent(path, options) {
  try {
    return await fetch(ROOT + path, {
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout?.(PATIENCE_MS),
      ...options,
    });
  } catch {
    throw new CallFailed("offline");
  }
}

async function problemOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  const wait = Number(answer.headers.get("Retry-After")) || 0;
  const fallback = answer.status >= 500 ? "offline" : "other";
  return new CallFailed(String(problem.code ?? fallback), answer.status, wait);
}

/** Send what *make* returns; once more when only our clock was wrong. */
async function call(path, make) {
  for (const last of [false, true]) {
    const answer = await sent(path, await make());
    const clockWasWrong = noteClock(answer);
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    if (last || !clockWasWrong) throw await problemOf(answer);
  }
}

function body(value) {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) };
}

async function authorised(id, method, path, more = {}) {
  const claims = { ...common(id.entityId), iss: id.deviceId, htm: method, htu: ROOT + path };
  const message = await signed("device+jws", claims, id.privateKey);
  return { method, ...more, headers: { ...more.headers, Authorization: `Device ${message}` } };
}

/** Bind a new key to the ID that *code* invites; return {id, trial}. */
export async function enrol(code, deviceName, password) {
  const keys = await makeKeys();
  const jwk = await publicJwk(keys.publicKey);
  // A browser that cannot keep the key says so here, before the invitation is spent.
  await keepId({ deviceId: "pending", privateKey: keys.privateKey });
  try {
    const answer = await call("/enrol", async () => {
      const claims = { ...common(page.entityId), code, device_name: deviceName };
      const message = await signed("enrol+jws", claims, keys.privateKey, jwk);
      return { method: "POST", ...body({ message, password }) };
    });
    const id = {
      deviceId: answer.device_id,
      identity: answer.identity,
      idpName: answer.idp_name,
      entityId: answer.entity_id,
      deviceName,
      privateKey: keys.privateKey,
    };
    await keepId(id);
    return { id, trial: answer.trial };
  } finally {
    await forgetId("pending");
  }
}

/** Return {approvals, interval}: the open approvals of *id*. */
export function approvalsOf(id) {
  return call("/approvals", () => authorised(id, "GET", "/approvals"));
}

/** Sign *verdict* and *symbols* for *approval* as it was shown; return the result's word. */
export async function answerApproval(id, approval, verdict, symbols) {
  const path = `/approvals/${encodeURIComponent(approval.approval)}/answer`;
  const answer = await call(path, async () => {
    const claims = {
      ...common(id.entityId),
      iss: id.deviceId,
      approval: approval.approval,
      attempt: approval.attempt ?? "",
      id: approval.id,
      provider: approval.provider,
      provider_name: approval.provider_name,
      nonce: approval.nonce,
      verdict,
      symbols: verdict === "approve" ? symbols : "",
    };
    claims.exp = claims.iat + ANSWER_LIFETIME_SECONDS;
    const message = await signed("answer+jws", claims, id.privateKey);
    return authorised(id, "POST", path, body({ message }));
  });
  return answer.result;
}

/** Retire this device from *id*, there and here. */
export async function retire(id) {
  try {
    await call("/devices/self", () => authorised(id, "DELETE", "/devices/self"));
  } catch (error) {
    if (error.status !== 401) throw error; // 401: it is not live any more, which is what we want
  }
  await forgetId(id.deviceId);
}
