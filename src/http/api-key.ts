import { hash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Random } from "#core/clock.ts";
import { Secret } from "#core/secret.ts";

const PREFIX = "clv_sk_";
const RANDOM_CHARACTERS = 43;
const CHECKSUM_CHARACTERS = 6;
const LENGTH = PREFIX.length + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
const HINT_CHARACTERS = PREFIX.length + 4;

/** A fresh API key: 256 random bits as 43 characters of base64url, and 6 of checksum, so that a typo is known before any look-up. */
export function createApiKey(random: Random): {
  readonly secret: Secret<string>;
  readonly digest: string;
  readonly hint: string;
} {
  const body = random.bytes(32).toString("base64url");
  const text = `${PREFIX}${body}${checksum(body)}`;
  return { secret: new Secret(text), digest: hash("sha256", text, "base64"), hint: text.slice(0, HINT_CHARACTERS) };
}

/**
 * The digest under which a bearer's API key is kept: SHA-256, base64. Undefined for what is no API key.
 *
 * The checksum is not computed for a digest that `isKnown`: of no other text can it be.
 */
export function apiKeyDigest(
  { headers }: Pick<IncomingMessage, "headers">,
  isKnown: (digest: string) => boolean = () => false,
): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined || !/^bearer /iu.test(authorization)) return undefined;
  const text = authorization.slice("bearer ".length);
  if (text.length !== LENGTH || !text.startsWith(PREFIX)) return undefined;
  const digest = hash("sha256", text, "base64");
  if (isKnown(digest)) return digest;
  return text.endsWith(checksum(text.slice(PREFIX.length, -CHECKSUM_CHARACTERS))) ? digest : undefined;
}

/** No secret: whoever has the rest can compute it, so that comparing it may take any time. */
function checksum(body: string): string {
  return hash("sha256", `claviger api key ${body}`, "base64url").slice(0, CHECKSUM_CHARACTERS);
}
