// What this device signs: JWS compact serialisation (RFC 7515), ES256.
// WebCrypto's signature is r || s, 64 bytes, which is what RFC 7518 section 3.4 asks for.

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const encoder = new TextEncoder();

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Return 128 bits of chance as text. */
export function token() {
  return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

/** Make a key pair whose private half cannot be exported. */
export function makeKeys() {
  return crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
}

/** Return the public half as a JWK with its four members only. */
export async function publicJwk(publicKey) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  return { kty, crv, x, y };
}

/** Return *claims* signed with *privateKey*; *jwk* goes into the header when it is given. */
export async function signed(typ, claims, privateKey, jwk) {
  const header = jwk ? { alg: "ES256", typ, jwk } : { alg: "ES256", typ };
  const parts = [header, claims].map((part) => base64url(encoder.encode(JSON.stringify(part))));
  const input = parts.join(".");
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    privateKey,
    encoder.encode(input),
  );
  return `${input}.${base64url(new Uint8Array(signature))}`;
}
