import { createHash } from "node:crypto";
import type { NativeRef } from "#core/records.ts";
import { ProviderError } from "#core/failures.ts";
import { refused } from "./errors.ts";

/** The marker of the canary key. */
export const CANARY_MARKER = "canary";

const PREFIX = "claviger-";
const MARKER = /^[a-z0-9-]{1,64}$/u;
/** An id has 63 characters at most, and so has the value of a label. */
const MAX_ID = 63;
const LABEL = "claviger-marker";
const LABEL_REST = "claviger-marker-rest";
const LABEL_CHARACTERS = 60;

/** The id by which a key of ours is found again; ids are unique in a key ring, and never free again. */
export function keyIdOf(marker: string): string {
  if (!MARKER.test(marker)) throw refused("wanted a marker of 1 to 64 lower-case letters, digits and hyphens");
  const plain = `${PREFIX}${marker}`;
  return plain.length <= MAX_ID ? plain : `${PREFIX}${createHash("sha256").update(marker).digest("hex").slice(0, 48)}`;
}

/** Labels that tell whose a key is and what marks it. */
export function labelsOf(marker: string): Readonly<Record<string, string>> {
  const rest = marker.slice(LABEL_CHARACTERS);
  return { [LABEL]: marker.slice(0, LABEL_CHARACTERS), ...(rest === "" ? {} : { [LABEL_REST]: rest }) };
}

/** The marker in a key's labels; null for the keys of others. */
export function markerOf(labels: Readonly<Record<string, string>> | null | undefined): string | null {
  const first = labels?.[LABEL];
  return first === undefined ? null : `${first}${labels?.[LABEL_REST] ?? ""}`;
}

const REF =
  /^(?<key>projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+)\/cryptoKeyVersions\/[1-9]\d*$/u;

/** The CryptoKey of a version's name. What is no name of a version names nothing. */
export function keyOfRef(ref: NativeRef): string {
  const key = REF.exec(ref)?.groups?.["key"];
  if (key === undefined) throw new ProviderError({ failure: "NOT_FOUND", detail: "wanted the name of a key version" });
  return key;
}

/** The location in which random bytes are made. */
export function locationOf(keyRing: string): string {
  return keyRing.split("/").slice(0, 4).join("/");
}
