import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hkdfSync,
  type KeyObject,
  privateDecrypt,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";
import type { Mutation, Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import type { KeyId } from "#core/ids.ts";
import type { ImportKeys, ImportParameters, OpenedImport } from "#broker/import-keys.ts";
import { unwrapKey } from "#envelope/key-wrap.ts";
import { obtainSecret } from "./own-secrets.ts";
import type { RootKey } from "./root.ts";

const DAY_MS = 86_400_000;
const MODULUS_BITS = 4096;
const MODULUS_BYTES = MODULUS_BITS / 8;
/** A pair is kept for the day that it is made on and the next, since a token lives for a day; then it is erased. */
const KEPT_DAYS = 2;
const SWEPT_DAYS = 30;
const makePair = promisify(generateKeyPair);

type Parts = { readonly store: Store; readonly roots: readonly RootKey[]; readonly sources: Sources };
type Claim = { readonly key: string; readonly day: number; readonly expireTime: number };

/**
 * The key pairs under which callers wrap what they import: RSA-4096, one a day, sealed under the root key, so that every gateway of the store
 * and a later start can open what was wrapped. A token says for which key, under which pair and until when, with an HMAC that only whoever has
 * the pair can make.
 */
export function createImportKeys(parts: Parts): ImportKeys {
  const { sources, store } = parts;
  const today = (): number => Math.floor(sources.clock.now() / DAY_MS);
  return {
    parameters: async (key) => await parametersFor(parts, key, today()),
    open: async (key, wish) => await open(parts, key, wish),
    sweep: async () => {
      const last = today() - KEPT_DAYS;
      const old = Array.from({ length: SWEPT_DAYS }, (_, n) => nameOf(last - n));
      await store.change((catalog) => ({
        mutations: old
          .filter((id) => catalog.secret(id) !== undefined)
          .map((id): Mutation => ({
            table: "secrets",
            id,
            record: null,
            ifRevision: catalog.revisionOf("secrets", id),
          })),
        result: undefined,
      }));
    },
  };
}

async function parametersFor(parts: Parts, key: KeyId, day: number): Promise<ImportParameters> {
  const privateKey = await pairOf(parts, day);
  const expireTime = parts.sources.clock.now() + DAY_MS;
  const claim = Buffer.from(JSON.stringify({ key, day, expireTime } satisfies Claim), "utf8");
  const token = `${claim.toString("base64url")}.${tokenMac(privateKey, claim).toString("base64url")}`;
  return { publicKey: createPublicKey(privateKey).export({ format: "der", type: "spki" }), token, expireTime };
}

async function open(
  parts: Parts,
  key: KeyId,
  { token, wrapped }: { readonly token: string; readonly wrapped: Buffer },
): Promise<OpenedImport> {
  const [text = "", mac = "", ...rest] = token.split(".");
  const bytes = Buffer.from(text, "base64url");
  const claim = rest.length === 0 ? parseClaim(bytes) : undefined;
  if (claim === undefined || claim.key !== key || parts.sources.clock.now() >= claim.expireTime) return BAD_TOKEN;
  if (parts.store.catalog.secret(nameOf(claim.day)) === undefined) return BAD_TOKEN;
  const privateKey = await pairOf(parts, claim.day);
  const [given, wanted] = [Buffer.from(mac, "base64url"), tokenMac(privateKey, bytes)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return BAD_TOKEN;
  const material = unwrap(privateKey, wrapped);
  return material === undefined ? BAD_BLOB : { ok: true, material };
}

const BAD_TOKEN: OpenedImport = { ok: false, because: "token" };
const BAD_BLOB: OpenedImport = { ok: false, because: "wrapped" };

function parseClaim(bytes: Buffer): Claim | undefined {
  try {
    const claim = JSON.parse(bytes.toString("utf8")) as Partial<Claim> | null;
    const { key, day, expireTime } = claim ?? {};
    if (typeof key !== "string" || !Number.isSafeInteger(day) || !Number.isSafeInteger(expireTime)) return undefined;
    return { key, day: day ?? 0, expireTime: expireTime ?? 0 };
  } catch {
    return undefined;
  }
}

/** RSA-OAEP with SHA-256 of a key for AES-256-KWP, and what that wraps (PKCS #11, CKM_RSA_AES_KEY_WRAP). */
function unwrap(key: KeyObject, wrapped: Buffer): Buffer | undefined {
  let kek: Buffer | undefined;
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    kek = privateDecrypt({ key, padding, oaepHash: "sha256" }, wrapped.subarray(0, MODULUS_BYTES));
    if (kek.length !== 32) return undefined;
    return unwrapKey("kwp", { kek, wrapped: wrapped.subarray(MODULUS_BYTES) });
  } catch {
    return undefined;
  } finally {
    kek?.fill(0);
  }
}

async function pairOf(parts: Parts, day: number): Promise<KeyObject> {
  const { secret } = await obtainSecret(parts, nameOf(day), async () => {
    const { privateKey, publicKey } = await makePair("rsa", { modulusLength: MODULUS_BITS });
    const publicPart = publicKey.export({ format: "pem", type: "spki" }).toString();
    return { secret: privateKey.export({ format: "der", type: "pkcs8" }), publicPart };
  });
  const key = createPrivateKey({ key: secret, format: "der", type: "pkcs8" });
  secret.fill(0);
  return key;
}

function tokenMac(privateKey: KeyObject, claim: Buffer): Buffer {
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  const key = Buffer.from(hkdfSync("sha512", der, "", "claviger/1 import token", 32));
  der.fill(0);
  try {
    return createHmac("sha256", key).update(claim).digest();
  } finally {
    key.fill(0);
  }
}

function nameOf(day: number): string {
  return `import-key/${day}`;
}
