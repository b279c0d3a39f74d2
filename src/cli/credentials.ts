import { EXIT, Failure } from "./failure.ts";
import { segment } from "./gateway.ts";
import type { DryRun } from "./noun.ts";
import { type Resource, resourcesAt, textAt } from "./resource.ts";
import type { Session } from "./session.ts";

export type CredentialOptions = DryRun & {
  readonly expireTime?: string | undefined;
  /** The certificate's; absent: an API key. */
  readonly subject?: string | undefined;
  /** Ends those of the same kind that long from now; absent: they go on. */
  readonly overlapSeconds?: number | undefined;
};

/** Gives a client a credential. An API key is printed: one line on stdout, for the only time. */
export async function giveCredential(
  session: Session,
  client: { readonly id: string; readonly name: string },
  { expireTime, subject, overlapSeconds, dryRun }: CredentialOptions,
): Promise<void> {
  const gateway = await session.gateway();
  const path = `/v1/clients/${segment(client.id)}/credentials`;
  const proof = subject === undefined ? { kind: "api-key" } : { kind: "mtls", subject };
  const credential = await gateway.change("POST", path, { ...proof, expireTime, overlapSeconds }, { dryRun });
  if (dryRun === true || subject !== undefined) {
    await session.printOne(credential, { name: "id" });
    return;
  }
  const secret = textAt(credential, "secret");
  if (secret === undefined) throw noSecret(client.name);
  await session.printData(credential, `${secret}\n`);
  await session.tell(
    `this is the API key of ${client.name} (${textAt(credential, "id") ?? "-"}), shown once: keep it in a secret store`,
  );
}

/** The credentials of a client that count, of a kind or of all. */
export function activeCredentials(client: Resource, kind?: string): readonly Resource[] {
  return resourcesAt(client, "credentials").filter(
    (item) => textAt(item, "state") === "active" && (kind === undefined || textAt(item, "kind") === kind),
  );
}

/** Revokes one credential, by its id, or every one that is active. */
export async function revokeCredentials(
  session: Session,
  client: Resource,
  { credential, dryRun }: DryRun & { readonly credential?: string | undefined },
): Promise<void> {
  const gateway = await session.gateway();
  const ids =
    credential === undefined ? activeCredentials(client).map((item) => textAt(item, "id") ?? "") : [credential];
  for (const id of ids) {
    const path = `/v1/clients/${segment(textAt(client, "id") ?? "")}/credentials/${segment(id)}/revoke`;
    await gateway.change("POST", path, {}, { dryRun });
    await session.tell(dryRun === true ? `${id} would be revoked` : `${id} is revoked`);
  }
}

/** A repeated request finds the credential made, and its secret is never told twice. */
function noSecret(client: string): Failure {
  return new Failure(EXIT.unavailable, {
    what: "the API key was made, and its secret was lost on the way",
    code: "UNKNOWN_OUTCOME",
    why: "the connection broke after the first request, and a secret is shown once",
    next: `npx claviger clients rotate ${client} --revoke-old`,
  });
}
