import { constants, createDecipheriv, createHash, type KeyObject, privateDecrypt } from "node:crypto";
import { type Algorithm, rowOf } from "../algorithms.ts";
import { bytesOf } from "../checksums.ts";
import { invalidArgument, precondition } from "../failure.ts";
import { readKey } from "../material.ts";
import type { Operation, Operations, RequestOf } from "../methods.ts";
import { jobStateOf, renderVersion } from "../render.ts";
import { getJob, getKey, getVersion } from "../resolve.ts";
import { addVersion, type CryptoKey, type ImportJob, type KmsState, stateOf, type Version } from "../state.ts";
import { parseAlgorithm } from "./new-key.ts";

type Request = RequestOf<"ImportCryptoKeyVersion">;

/** Answers PENDING_IMPORT, whatever was sent: whether it was material is told by the version, later. */
const importVersion: Operation<"ImportCryptoKeyVersion"> = async (kms, request) => {
  const key = getKey(kms, request.parent);
  const algorithm = parseAlgorithm(request.algorithm, key);
  const job = jobToUse(kms, request, key);
  const wrapped = wrappedOf(request);
  if (rowOf(algorithm).shape.kind === "rsa" && !job.method.endsWith("_AES_256")) {
    throw invalidArgument(`${job.method} cannot wrap RSA keys.`);
  }
  const version = targetOf(kms, request, { key, algorithm });
  const material = await unwrap(wrapped, job);
  take(kms, version, { job, bytes: material });
  return renderVersion(version);
};

const jobToUse = (kms: KmsState, { importJob }: Request, key: CryptoKey): ImportJob => {
  const job = getJob(kms, importJob);
  const state = jobStateOf(kms, job);
  if (state !== "ACTIVE") {
    throw precondition(`${job.name} is not active, current state is: ${state}.`, {
      type: `IMPORT_JOB_${state}`,
      subject: job.name,
    });
  }
  if (job.protectionLevel !== key.protectionLevel) {
    throw invalidArgument("The protection levels of the ImportJob and the CryptoKey differ.");
  }
  return job;
};

const wrappedOf = ({ wrappedKey, rsaAesWrappedKey }: Request): Buffer => {
  const [now, legacy] = [bytesOf(wrappedKey), bytesOf(rsaAesWrappedKey)];
  if (now.length > 0 === legacy.length > 0) throw invalidArgument("Exactly one wrapped key must be set.");
  return now.length > 0 ? now : legacy;
};

/** A new version, or an imported one that is DESTROYED or IMPORT_FAILED. */
const targetOf = (
  kms: KmsState,
  { cryptoKeyVersion }: Request,
  { key, algorithm }: { readonly key: CryptoKey; readonly algorithm: Algorithm },
): Version => {
  if (cryptoKeyVersion === "") {
    return addVersion(kms, key, {
      algorithm,
      state: "PENDING_IMPORT",
      due: undefined,
      generatedMs: undefined,
      material: undefined,
    });
  }
  const { version, key: parent } = getVersion(kms, cryptoKeyVersion);
  if (parent !== key) throw invalidArgument("crypto_key_version is not of the parent.");
  const state = stateOf(version);
  if (version.imported === undefined || (state !== "DESTROYED" && state !== "IMPORT_FAILED")) {
    throw precondition(`${version.name} is not eligible for reimport.`, {
      type: `KEY_${state}`,
      subject: version.name,
    });
  }
  if (version.algorithm !== algorithm) throw invalidArgument("The algorithm is not that of the version.");
  return version;
};

const take = (
  kms: KmsState,
  version: Version,
  { job, bytes }: { readonly job: ImportJob; readonly bytes: Buffer | undefined },
): void => {
  const nowMs = kms.now();
  const key = bytes === undefined ? undefined : readKey(bytes, rowOf(version.algorithm).shape);
  const before = version.imported?.fingerprint;
  const found = bytes === undefined ? undefined : createHash("sha256").update(bytes).digest("hex");
  const fits = key !== undefined && (before === undefined || before === found);
  version.imported = { job: job.name, atMs: nowMs, fingerprint: fits ? found : before };
  version.importFailure = fits ? undefined : failureOf({ bytes, key });
  version.material = fits ? () => Promise.resolve(key) : undefined;
  version.destroyEventMs = undefined;
  version.state.set("PENDING_IMPORT", { nowMs, delayMs: 0 });
  version.due = { atMs: nowMs + kms.importMs, state: fits ? "ENABLED" : "IMPORT_FAILED" };
};

const failureOf = ({ bytes, key }: { bytes: Buffer | undefined; key: KeyObject | undefined }): string => {
  if (bytes === undefined) return "The wrapped key could not be unwrapped.";
  if (key === undefined) return "The key material is not valid for the algorithm.";
  return "The key material is not that of the earlier import.";
};

/** Undoes RSAES-OAEP, and for `_AES_256` AES key wrap with padding (RFC 5649) under the key that was in it. */
const unwrap = async (wrapped: Buffer, { method, unwrapWith }: ImportJob): Promise<Buffer | undefined> => {
  const key = await unwrapWith();
  const oaep = {
    key,
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: /_SHA1(_|$)/.test(method) ? "sha1" : "sha256",
  };
  try {
    if (!method.endsWith("_AES_256")) return privateDecrypt(oaep, wrapped);
    const size = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const kek = privateDecrypt(oaep, wrapped.subarray(0, size));
    const decipher = createDecipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
    return Buffer.concat([decipher.update(wrapped.subarray(size)), decipher.final()]);
  } catch {
    return undefined;
  }
};

export const importOperations: Pick<Operations, "ImportCryptoKeyVersion"> = { ImportCryptoKeyVersion: importVersion };
