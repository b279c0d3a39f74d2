import { createPublicKey, type KeyObject } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { KmsError } from "#core/errors.ts";
import { type AuditReport, verifyAuditTrail } from "#audit/verify.ts";

export type VerifyAuditOptions = {
  readonly folder: string;
  /** PEM files. None: the `.pem` files of the folder itself. */
  readonly publicKeys: readonly string[];
  readonly anchors: readonly string[];
};

/** `keysFrom: folder` proves less: whoever can write the folder can put another key there, and sign anew. */
export type AuditVerdict = AuditReport & { readonly keysFrom: "given" | "folder"; readonly [member: string]: unknown };

/**
 * Checks a trail without a gateway.
 *
 * @throws {KmsError} `INVALID_ARGUMENT` for a folder or key that cannot be read, and where there is no key at all
 */
export async function verifyAuditOffline({ folder, publicKeys, anchors }: VerifyAuditOptions): Promise<AuditVerdict> {
  const found = await pemFiles(folder);
  const files = publicKeys.length > 0 ? publicKeys : found;
  if (files.length === 0) throw noKey(folder);
  const keys = await Promise.all(files.map(readKey));
  const report = await verifyAuditTrail({ folder, publicKeys: keys, anchors });
  return { ...report, keysFrom: publicKeys.length > 0 ? "given" : "folder" };
}

async function pemFiles(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith(".pem")).map((name) => join(folder, name));
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

async function readKey(file: string): Promise<KeyObject> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  try {
    const key = createPublicKey(text);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Told below; the parser's message says nothing to an auditor.
  }
  throw new KmsError("INVALID_ARGUMENT", `${file} is no Ed25519 public key in PEM`, {
    help: "give the key that signed the trail",
  });
}

function unreadable(path: string, cause: unknown): KmsError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  return new KmsError("INVALID_ARGUMENT", `${path} cannot be read (${code})`, {
    help: "name the folder of the trail",
    cause,
  });
}

function noKey(folder: string): KmsError {
  return new KmsError("INVALID_ARGUMENT", `no public key was given, and ${folder} has no .pem file`, {
    help: "give the key that signed the trail with --public-key FILE",
  });
}
