import { EXIT, Failure } from "../failure.ts";
import { segment } from "../gateway.ts";
import { textAt } from "../resource.ts";
import type { Session } from "../session.ts";
import type { SecretFolder } from "./secret-folder.ts";

type Issue = { readonly path: string; readonly name: string; readonly secrets: SecretFolder };

/**
 * Asks for an API key and writes it into its file; answers the path. Where the key was made by a request whose answer never came, its secret is lost:
 * that one is revoked, and another is made.
 */
export async function issueApiKey(session: Session, { path, name, secrets }: Issue): Promise<string> {
  const gateway = await session.gateway();
  const body = { kind: "api-key" };
  await secrets.make();
  const idempotencyKey = await secrets.begin(name, session.sources.uuid());
  let made = await gateway.change("POST", path, body, { idempotencyKey });
  if (textAt(made, "secret") === undefined) {
    await gateway.change("POST", `${path}/${segment(textAt(made, "id") ?? "")}/revoke`, {});
    const fresh = session.sources.uuid();
    await secrets.renew(name, fresh);
    made = await gateway.change("POST", path, body, { idempotencyKey: fresh });
  }
  const secret = textAt(made, "secret");
  if (secret === undefined) throw lost(name);
  await secrets.finish(name, secret);
  return secrets.pathOf(name);
}

function lost(name: string): Failure {
  return new Failure(EXIT.unavailable, {
    what: `the API key of ${name} was made, and its secret was lost on the way`,
    code: "UNKNOWN_OUTCOME",
    why: "the connection broke again after the request, and a secret is shown once",
    next: "run it again: the key is revoked then, and another is made",
  });
}
