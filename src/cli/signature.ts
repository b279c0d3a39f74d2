import { type Command, Option } from "commander";
import { usageFailure } from "./failure.ts";
import { segment } from "./gateway.ts";
import { LocalExit } from "./local-exit.ts";
import { readInput } from "./read-input.ts";
import { textAt } from "./resource.ts";
import type { Session } from "./session.ts";

type SignOptions = { readonly digest?: true; readonly encoding?: string };
type VerifyOptions = SignOptions & {
  readonly signature: string;
  readonly kid?: string;
  readonly verifyIn?: string;
};

/** sign · verify */
export function registerSignatures(program: Command, session: Session): void {
  withSignable(program.command("sign <key> [file]"))
    .description("sign FILE (or stdin, or - for stdin) and print the signature in base64, one line")
    .action(async (key: string, file: string | undefined, { digest, encoding }: SignOptions) => {
      const input = await readInput(session.io, file);
      const gateway = await session.gateway();
      const answer = await gateway.operate(`/v1/keys/${segment(key)}/sign`, { ...signable(input, digest), encoding });
      await session.printData(answer, `${textAt(answer, "signature") ?? ""}\n`);
    });
  withSignable(program.command("verify <key> <file>"))
    .description("check a signature of FILE (or - for stdin); the exit code is 1 if it is none of the key's")
    .requiredOption("--signature <s>", "the signature in base64, or @FILE with its bytes or its base64")
    .option("--kid <kid>", "the public key that it should be of; any version's unless told")
    .addOption(new Option("--verify-in <place>", "where it is checked").choices(["gateway", "provider"]))
    .action(async (key: string, file: string, { digest, encoding, signature, kid, verifyIn }: VerifyOptions) => {
      const input = await readInput(session.io, file);
      const body = {
        ...signable(input, digest),
        encoding,
        kid,
        verifyIn,
        signature: await givenBytes(session, signature),
      };
      const gateway = await session.gateway();
      await sayWhether(session, await gateway.operate(`/v1/keys/${segment(key)}/verify`, body));
    });
}

/** mac · verify-mac */
export function registerMacs(program: Command, session: Session): void {
  program
    .command("mac <key> [file]")
    .description("print the MAC of FILE (or stdin, or - for stdin) in base64, one line")
    .action(async (key: string, file: string | undefined) => {
      const message = (await readInput(session.io, file)).toString("base64");
      const gateway = await session.gateway();
      const answer = await gateway.operate(`/v1/keys/${segment(key)}/mac`, { message });
      await session.printData(answer, `${textAt(answer, "mac") ?? ""}\n`);
    });
  program
    .command("verify-mac <key> <file>")
    .description("check a MAC of FILE (or - for stdin); the exit code is 1 if it is none of the key's")
    .requiredOption("--mac <m>", "the MAC in base64, or @FILE with its bytes or its base64")
    .action(async (key: string, file: string, { mac }: { readonly mac: string }) => {
      const message = (await readInput(session.io, file)).toString("base64");
      const body = { message, mac: await givenBytes(session, mac) };
      const gateway = await session.gateway();
      await sayWhether(session, await gateway.operate(`/v1/keys/${segment(key)}/verify-mac`, body));
    });
}

function withSignable(command: Command): Command {
  return command
    .option("--digest", "FILE is the digest of the message, as bytes or in hexadecimal")
    .addOption(
      new Option("--encoding <form>", "how an ECDSA signature is written; der unless told").choices(["der", "raw"]),
    );
}

function signable(input: Buffer, digest: true | undefined): { readonly message: string } | { readonly digest: string } {
  if (digest !== true) return { message: input.toString("base64") };
  const text = input.toString("latin1").trim();
  // what sha256sum prints: the digest, and the name of the file after it
  const [hex = ""] = text.split(/\s/u);
  const isHex = hex.length >= 40 && hex.length % 2 === 0 && /^[0-9a-f]+$/iu.test(hex);
  return { digest: (isHex ? Buffer.from(hex, "hex") : input).toString("base64") };
}

/** Bytes given as base64, or with `@` as a file that holds them, raw or in base64. */
async function givenBytes(session: Session, given: string): Promise<string> {
  if (!given.startsWith("@")) return given;
  const bytes = await readInput(session.io, given.slice(1));
  const text = bytes.toString("latin1").trim();
  if (bytes.length === 0) throw usageFailure(`${given.slice(1)} is empty`, "name a file that holds it");
  return Buffer.from(text, "base64").toString("base64") === text ? text : bytes.toString("base64");
}

async function sayWhether(session: Session, answer: Readonly<Record<string, unknown>>): Promise<void> {
  const valid = answer["valid"] === true;
  await session.printData(answer, `${valid ? "valid" : "not valid"}\n`);
  if (!valid) throw new LocalExit(1);
}
