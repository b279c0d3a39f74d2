import { refused } from "./errors.ts";
import type { NativeRef } from "#core/records.ts";

/** A version of a key in the vault at `origin`. */
export type KeyRef = { readonly origin: string; readonly name: string; readonly version: string };

/** The marker of the canary key, and so its name. */
export const CANARY_MARKER = "canary";

/** The name by which a key of ours is found again: names are unique in a vault, but for their versions. */
export function nameOfMarker(marker: string): string {
  return `${PREFIX}${marker}`;
}

const PREFIX = "claviger-";
const MARKER = /^[a-z0-9-]{1,64}$/u;

/** Refuses what is no marker, or the canary's. */
export function requireMarker(marker: string): void {
  if (marker === CANARY_MARKER) throw refused("the marker is the canary's");
  if (!MARKER.test(marker)) throw refused("wanted a marker of 1 to 64 lower-case letters, digits and hyphens");
}

const PATH = /^\/keys\/(?<name>[0-9A-Za-z-]{1,127})\/(?<version>[0-9a-f]{32})$/u;

/** Takes a reference apart: `https://v.vault.azure.net/keys/NAME/VERSION`, of the vault at `origin` and of no other. */
export function parseRef(ref: NativeRef, origin: string): KeyRef {
  const url = URL.parse(ref);
  const { name, version } = PATH.exec(url?.pathname ?? "")?.groups ?? {};
  if (url === null || name === undefined || version === undefined || url.origin + url.pathname !== ref) {
    throw refused("the reference is no key identifier with a version");
  }
  if (url.origin !== origin) throw refused("the reference is of another vault");
  return { origin, name, version };
}

export function refOf({ origin, name, version }: KeyRef): NativeRef {
  return `${origin}/keys/${name}/${version}`;
}
