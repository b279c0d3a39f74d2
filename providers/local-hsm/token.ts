import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "#core/canonical-json.ts";
import type { Sources } from "#core/clock.ts";
import { createUuid, isUuid, type Uuid } from "#core/ids.ts";
import type { Secret } from "#core/secret.ts";
import { isSystemCode, LocalHsmError } from "./errors.ts";
import { createFile, findFile, makeFolder, permissionsOf } from "./files.ts";
import { namesIn } from "./generations.ts";
import { createMasterKeyFile, deriveMasterKey, masterKeyCheck, readMasterKeyFile, SCRYPT } from "./master-key.ts";

/** An opened folder: who it is, and the key of all its keys. */
export type Token = { readonly uuid: Uuid; readonly masterKey: KeyObject };

/** Where the master key comes from; paths are absolute. */
export type Seal =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "passphrase"; readonly passphrase: Secret<string> };

export type TokenPlace = { readonly folder: string; readonly seal: Seal; readonly sources: Sources };

const WRITABLE_BY_OTHERS = 0o022;
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`, "u"));
const scryptSeal = {
  kind: z.literal("passphrase"),
  n: z.literal(SCRYPT.n),
  r: z.literal(SCRYPT.r),
  p: z.literal(SCRYPT.p),
  salt: hex(32),
};
const SCHEMA = z.strictObject({
  format: z.literal(1),
  uuid: z.string().refine(isUuid),
  seal: z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("file") }), z.strictObject(scryptSeal)]),
  check: hex(32),
});
type TokenFile = z.infer<typeof SCHEMA>;

export function objectsFolder(folder: string): string {
  return join(folder, "objects");
}

/**
 * Opens a folder, and makes it at first use: `token.json` says who it is, `objects/` holds its keys, `master.key` (unless configured
 * elsewhere) seals them. Several processes may do so at once.
 *
 * @throws {LocalHsmError} with a sentence for an operator.
 */
export async function openToken(place: TokenPlace): Promise<Token> {
  const { folder } = place;
  await makeStore(folder);
  if ((await permissionsOf(folder, WRITABLE_BY_OTHERS)) !== 0) {
    throw new LocalHsmError("SealRefused", `the folder ${folder} may be written by others: chmod 700 it`);
  }
  // Looked at before the token: who makes keys has made the token before.
  const hasKeys = (await namesIn(objectsFolder(folder))).length > 0;
  if ((await findToken(folder)) === undefined) {
    if (hasKeys) throw new LocalHsmError("TokenDamaged", `${tokenPath(folder)} is missing beside keys: put it back`);
    const token = await createToken(place);
    if (token !== undefined) return token;
  }
  return await reopenToken(place);
}

/** Opens a folder that exists: makes nothing. */
export async function reopenToken(place: TokenPlace): Promise<Token> {
  const file = await readToken(place.folder);
  const masterKey = await masterKeyOf(place, file.seal);
  if (masterKeyCheck(masterKey, file.uuid) !== file.check) {
    throw new LocalHsmError("SealRefused", `the master key is not the one that seals ${place.folder}`);
  }
  return { uuid: file.uuid, masterKey };
}

/** The folder's UUID as its file says now. */
export async function readTokenUuid(folder: string): Promise<Uuid> {
  return (await readToken(folder)).uuid;
}

async function makeStore(folder: string): Promise<void> {
  try {
    await makeFolder(objectsFolder(folder));
  } catch (cause) {
    if (isSystemCode(cause, "EEXIST")) throw new LocalHsmError("StoreUnavailable", `${folder} is no folder`, cause);
    throw new LocalHsmError("StoreUnavailable", `the folder ${folder} cannot be made or opened`, cause);
  }
}

/** Undefined where another process was first. */
async function createToken({ folder, seal, sources }: TokenPlace): Promise<Token | undefined> {
  const uuid = createUuid(sources);
  const described: TokenFile["seal"] =
    seal.kind === "file"
      ? { kind: "file" }
      : { kind: "passphrase", ...SCRYPT, salt: sources.random.kernelBytes(32).toString("hex") };
  if (seal.kind === "file") await createMasterKeyFile(seal.path, sources);
  const masterKey = await masterKeyOf({ folder, seal }, described);
  const file: TokenFile = { format: 1, uuid, seal: described, check: masterKeyCheck(masterKey, uuid) };
  const temporary = `${tokenPath(folder)}.${uuid}.tmp`;
  const isOurs = await createFile({ path: tokenPath(folder), temporary, bytes: Buffer.from(canonicalJson(file)) });
  return isOurs ? { uuid, masterKey } : undefined;
}

async function masterKeyOf(place: { folder: string; seal: Seal }, described: TokenFile["seal"]): Promise<KeyObject> {
  const { folder, seal } = place;
  if (seal.kind === "file" && described.kind === "file") return await readMasterKeyFile(seal.path);
  if (seal.kind === "passphrase" && described.kind === "passphrase") {
    return await deriveMasterKey(seal.passphrase, Buffer.from(described.salt, "hex"));
  }
  throw new LocalHsmError("SealRefused", `${folder} is sealed by a ${described.kind}, not by a ${seal.kind}`);
}

async function readToken(folder: string): Promise<TokenFile> {
  const file = await findToken(folder);
  if (file === undefined) throw new LocalHsmError("StoreUnavailable", `${tokenPath(folder)} is missing`);
  return file;
}

async function findToken(folder: string): Promise<(TokenFile & { readonly uuid: Uuid }) | undefined> {
  const bytes = await findFile(tokenPath(folder));
  if (bytes === undefined) return undefined;
  try {
    return SCHEMA.parse(JSON.parse(bytes.toString("utf8")));
  } catch (cause) {
    throw new LocalHsmError("TokenDamaged", `${tokenPath(folder)} is damaged: put it back from a backup`, cause);
  }
}

function tokenPath(folder: string): string {
  return join(folder, "token.json");
}
