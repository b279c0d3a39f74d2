import type { CallContext, Observation } from "#core/provider.ts";
import type { KmsClient } from "./client.ts";
import { observationOf } from "./observation.ts";
import { present } from "./present.ts";

const PAGE = 1000;

/** Every version of every key of the ring: one ListCryptoKeys per page, and one ListCryptoKeyVersions per key. */
export async function* listKeys(client: KmsClient, keyRing: string, call: CallContext): AsyncGenerator<Observation> {
  for await (const key of pages(
    async (pageToken) => await client.listCryptoKeys({ parent: keyRing, pageSize: PAGE, pageToken }, call),
  )) {
    const parent = present(key.name, "name");
    const versions = pages(async (pageToken) => await client.listVersions({ parent, pageSize: PAGE, pageToken }, call));
    for await (const version of versions) yield observationOf(version, key.labels);
  }
}

async function* pages<T>(
  read: (token: string) => Promise<{ readonly items: readonly T[]; readonly next: string }>,
): AsyncGenerator<T> {
  let token = "";
  do {
    const { items, next } = await read(token);
    yield* items;
    token = next;
  } while (token !== "");
}
