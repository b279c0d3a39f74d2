import { createPublicKey } from "node:crypto";
import type { Command } from "commander";
import { parseWhole } from "../arguments.ts";
import { EXIT, Failure } from "../failure.ts";
import { segment } from "../gateway.ts";
import { writeNew } from "../new-file.ts";
import { readInput } from "../read-input.ts";
import { textAt } from "../resource.ts";
import type { Session } from "../session.ts";

type ExportOptions = {
  readonly wrappingKey: string;
  readonly version?: number;
  readonly reason?: string;
  readonly out?: string;
};

/** Gives away a key that was made with `create --extractable`. */
export function registerExport(keys: Command, session: Session): void {
  keys
    .command("export <key>")
    .description("have the provider of an extractable key wrap it under an RSA public key (CKM_RSA_AES_KEY_WRAP)")
    .requiredOption(
      "--wrapping-key <file>",
      "the public key, PEM or DER (SPKI), whose private half unwraps; - is stdin",
    )
    .option("--version <n>", "the primary one unless told", parseWhole)
    .option("--reason <text>", "why, for the key's history")
    .option("--out <file>", "write the wrapped bytes there, which must not exist (mode 0600); else base64 is printed")
    .action(async (key: string, { wrappingKey, version, reason, out }: ExportOptions) => {
      const spki = await readSpki(session, wrappingKey);
      const gateway = await session.gateway();
      const body = { wrappingKey: spki.toString("base64"), version, reason };
      const exported = await gateway.operate(`/v1/keys/${segment(key)}/export`, body);
      const wrapped = textAt(exported, "wrapped") ?? "";
      if (out !== undefined) await writeNew(session, out, Buffer.from(wrapped, "base64"));
      await session.printData(exported, out === undefined ? `${wrapped}\n` : "");
    });
}

async function readSpki(session: Session, file: string): Promise<Buffer> {
  const given = await readInput(session.io, file);
  const isPem = given.toString("latin1", 0, 11).startsWith("-----BEGIN ");
  try {
    if (given.toString("latin1").includes("PRIVATE KEY")) throw new Error("private");
    const key = isPem ? createPublicKey(given) : createPublicKey({ key: given, format: "der", type: "spki" });
    return key.export({ format: "der", type: "spki" });
  } catch (error) {
    given.fill(0);
    const text = {
      what: `${file} holds no public key that can be read`,
      code: "INVALID_KEY",
      why: "wanted one public key, as PEM or as SPKI DER",
      next: "openssl pkey -in private.pem -pubout makes one",
    };
    throw new Failure(EXIT.refused, text, error);
  }
}
