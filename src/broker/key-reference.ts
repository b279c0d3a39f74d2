import { may } from "#core/access.ts";
import { keyVisible } from "#core/access.ts";
import type { Catalog } from "#core/catalog.ts";
import { KmsError } from "#core/errors.ts";
import { type KeyId, uuidOfId } from "#core/ids.ts";
import type { KeyRecord, VersionRecord } from "#core/records.ts";
import type { Caller } from "./caller.ts";
import type { BrokerParts } from "./parts.ts";

/** A key as a caller writes it: id, name or alias, and perhaps a version. */
export type KeyReference = { readonly text: string; readonly version: number | undefined };

export type Resolved = { readonly key: KeyRecord; readonly version: number | undefined };

const MAX_REFERENCE = 300;
const VERSION = /^[1-9][0-9]{0,9}$/u;

/** Reads `name`, `alias` or `id`, each with `@version`; undefined for what can name nothing. */
export function parseKeyReference(text: string): KeyReference | undefined {
  if (text.length === 0 || text.length > MAX_REFERENCE) return undefined;
  const at = text.lastIndexOf("@");
  if (at < 0) return { text, version: undefined };
  const version = text.slice(at + 1);
  return VERSION.test(version) ? { text: text.slice(0, at), version: Number(version) } : undefined;
}

/** The one 404 of keys: not there, in another namespace, and not to be seen are the same. */
export function keyNotFound(): KmsError {
  return new KmsError("KEY_NOT_FOUND", "no such key in this namespace");
}

/**
 * Finds the key that a caller names, in memory. What is not there is looked for in the feed once before it is refused.
 * @throws {KmsError} `KEY_NOT_FOUND`
 */
export async function resolveKey(parts: BrokerParts, caller: Caller, text: string): Promise<Resolved> {
  return findKey(parts.catalog, caller, text) ?? (await resolveAfterRefresh(parts, caller, text));
}

/** As {@link resolveKey}, without the second look: undefined if the key is not in memory. */
export function findKey(catalog: Catalog, caller: Caller, text: string): Resolved | undefined {
  const reference = parseKeyReference(text);
  if (reference === undefined) return undefined;
  const key =
    uuidOfId("key", reference.text) === undefined
      ? catalog.keyByName(caller.namespace, reference.text)
      : catalog.key(reference.text as KeyId);
  if (key === undefined || key.namespace !== caller.namespace || !canSee(caller, key)) return undefined;
  const { version } = reference;
  if (version !== undefined && catalog.version(key.id, version) === undefined) return undefined;
  return { key, version };
}

async function resolveAfterRefresh(parts: BrokerParts, caller: Caller, text: string): Promise<Resolved> {
  // not only where this refresh brought something: one that was under way may have brought it
  if (parseKeyReference(text) !== undefined) await parts.store.refresh();
  const found = findKey(parts.catalog, caller, text);
  if (found === undefined) throw keyNotFound();
  return found;
}

function canSee(caller: Caller, key: KeyRecord): boolean {
  if (may(caller.principal, "keys.read")) return true;
  return caller.principal.client.namespace === key.namespace && keyVisible(caller.principal, key);
}

/** @throws {KmsError} `INTEGRITY_FAILURE` where the catalog lacks a version that the key names. */
export function versionOf(catalog: Catalog, key: KeyRecord, version: number): VersionRecord {
  const record = catalog.version(key.id, version);
  if (record === undefined) {
    throw new KmsError("INTEGRITY_FAILURE", "the key version's row is missing or does not verify", {
      metadata: { keyId: key.id, keyVersion: String(version) },
    });
  }
  return record;
}
