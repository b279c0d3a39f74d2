import {
  constants,
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { resolve } from "node:path";
import type { Command } from "commander";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { segment } from "../gateway.ts";
import { writeNew } from "../new-file.ts";
import { type DryRun, withDryRun } from "../noun.ts";
import { readInput } from "../read-input.ts";
import { type Resource, textAt } from "../resource.ts";
import { readOwned, refuseExposed } from "../secret-file.ts";
import type { Session } from "../session.ts";
import { KEY_VIEW } from "./view.ts";

type ImportOptions = DryRun & { readonly wrapped?: string; readonly token?: string; readonly activate: boolean };

/** Brings material from outside into a key that was made with `create --import`. */
export function registerImport(keys: Command, session: Session): void {
  keys
    .command("import-parameters <key>")
    .description("print the public key to wrap material under, and the token that goes with it, for a day")
    .option("--out <file>", "write the public key there, as PEM; it must not exist")
    .action(async (key: string, { out }: { readonly out?: string }) => {
      const gateway = await session.gateway();
      const parameters = await gateway.operate(`/v1/keys/${segment(key)}/import-parameters`, {});
      if (out !== undefined)
        await writeNew(session, out, publicKeyOf(parameters).export({ format: "pem", type: "spki" }));
      await session.printOne(parameters, { name: "token" });
    });
  withDryRun(keys.command("import <key> [file]"))
    .description("wrap FILE (PKCS#8 as PEM or DER, or the raw bytes of a symmetric key) and import it; - is stdin")
    .option("--wrapped <file>", "what was wrapped elsewhere, under import-parameters, instead of FILE")
    .option("--token <token>", "the token of those import-parameters")
    .option("--no-activate", "leave the key generated")
    .action(async (key: string, file: string | undefined, options: ImportOptions) => {
      await importInto(session, key, { file, ...options });
    });
}

async function importInto(
  session: Session,
  key: string,
  { file, wrapped, token, activate, dryRun }: ImportOptions & { readonly file: string | undefined },
): Promise<void> {
  if ((wrapped === undefined) !== (token === undefined))
    throw usageFailure("--wrapped and --token belong together", "give both, or a FILE to wrap here");
  if (wrapped !== undefined && file !== undefined)
    throw usageFailure("FILE and --wrapped do not go together", "give what was wrapped, or a FILE to wrap here");
  const path = `/v1/keys/${segment(key)}`;
  const gateway = await session.gateway();
  const sent =
    wrapped === undefined
      ? await wrapHere(session, file, async () => await gateway.operate(`${path}/import-parameters`, {}))
      : { token, wrapped: (await readInput(session.io, wrapped)).toString("base64") };
  const body = { ...sent, activate: activate ? undefined : false };
  await session.printList([await gateway.change("POST", `${path}/import`, body, { dryRun })], KEY_VIEW);
}

async function wrapHere(
  session: Session,
  file: string | undefined,
  ask: () => Promise<Resource>,
): Promise<{ readonly token: string | undefined; readonly wrapped: string }> {
  const { io } = session;
  const owned = file === undefined || file === "-" ? undefined : await readOwned(resolve(io.cwd, file));
  if (owned !== undefined) refuseExposed(owned);
  const material = materialOf(owned?.bytes ?? (await readInput(io, file)));
  try {
    const parameters = await ask();
    return { token: textAt(parameters, "token"), wrapped: wrap(material, publicKeyOf(parameters)).toString("base64") };
  } finally {
    material.fill(0);
  }
}

function publicKeyOf(parameters: Resource): KeyObject {
  const key = Buffer.from(textAt(parameters, "publicKey") ?? "", "base64");
  return createPublicKey({ key, format: "der", type: "spki" });
}

/** PEM becomes DER; anything else is taken as it is. */
function materialOf(bytes: Buffer): Buffer {
  if (!bytes.toString("latin1", 0, 11).startsWith("-----BEGIN ")) return bytes;
  try {
    return createPrivateKey(bytes).export({ format: "der", type: "pkcs8" });
  } catch (error) {
    const text = {
      what: "the file holds no private key that can be read",
      code: "INVALID_KEY",
      why: "wanted PEM of one private key without a passphrase",
      next: "openssl pkcs8 -topk8 -nocrypt makes one",
    };
    throw new Failure(EXIT.refused, text, error);
  } finally {
    bytes.fill(0);
  }
}

/** RSA-OAEP with SHA-256 of a fresh key, then AES-256-KWP under it: what `import` takes. */
function wrap(material: Buffer, key: KeyObject): Buffer {
  const kek = randomBytes(32);
  const kwp = createCipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
  const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, kek);
  kek.fill(0);
  return Buffer.concat([sealed, kwp.update(material), kwp.final()]);
}
