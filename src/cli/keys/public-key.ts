import { type Command, Option } from "commander";
import { segment } from "../gateway.ts";
import { textAt, valueAt } from "../resource.ts";
import type { Session } from "../session.ts";

type PublicKeyOptions = { readonly form: "pem" | "der" | "jwk" | "jwks" };

export function registerPublicKey(keys: Command, session: Session): void {
  keys
    .command("public-key <key>")
    .description("print the public key, of the primary version unless KEY@N names another")
    .addOption(
      new Option("--form <form>", "PEM, the bytes of the DER, a JWK, or the set of all that may be trusted")
        .choices(["pem", "der", "jwk", "jwks"])
        .default("pem"),
    )
    .action(async (key: string, { form }: PublicKeyOptions) => {
      const gateway = await session.gateway();
      if (form === "jwks") {
        const set = await gateway.get(`/v1/keys/${segment(key)}/jwks.json`);
        await session.printData(set, `${JSON.stringify(set)}\n`);
        return;
      }
      const answer = await gateway.get(`/v1/keys/${segment(key)}/public-key`);
      if (form === "der") await session.printData(answer, Buffer.from(textAt(answer, "publicKey") ?? "", "base64"));
      else if (form === "jwk") await session.printData(answer, `${JSON.stringify(valueAt(answer, "jwk"))}\n`);
      else await session.printData(answer, textAt(answer, "pem") ?? "");
    });
}
