import type { Answer, Asked, Gateway } from "./live-gateway.ts";

/** Asks a gateway, with whichever credential. */
export type Client = Pick<Gateway, "ask">;

type Headers = NonNullable<Asked["headers"]>;

/** What a test reads of a key; the answers have more. */
export type KeyBody = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly primaryVersion: number;
  readonly latestVersion: number;
  readonly replication: {
    readonly wanted: number;
    readonly ready: number;
    readonly minimum: number;
    readonly missing: readonly string[];
  };
  readonly hardTtlTime: string | null;
  readonly unconfirmed: readonly string[];
};
export type Encrypted = { readonly ciphertext: string; readonly keyVersion: number; readonly attempts: number };
export type Decrypted = {
  readonly text: string;
  readonly keyVersion: number;
  readonly attempts: number;
  readonly tookMs: number;
};
export type ProviderBody = {
  readonly name: string;
  readonly status: string;
  readonly statusReason: string | null;
  readonly missingWraps: number;
  readonly gateways: readonly { readonly data: BreakerBody; readonly control: BreakerBody }[];
};
export type BreakerBody = { readonly state: string; readonly calls: number; readonly failures: number };
export type BindingBody = {
  readonly id: string;
  readonly provider: string;
  readonly nativeRef: string;
  readonly quarantined: boolean;
  readonly lastError: string | null;
};

/** What a new key is asked to be. */
export type NewKey = {
  readonly name: string;
  readonly custody?: {
    readonly holders?: readonly string[];
    readonly minimum?: number;
    readonly dedicated?: boolean;
  };
};

/** Thrown by the helpers for an answer that is no success. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(what: string, answer: Answer) {
    super(`${what}: ${answer.status} ${answer.text}`);
    this.answer = answer;
  }
}

/** The body; its type is what the caller says. */
function accepted(what: string, answer: Answer): unknown {
  if (answer.status >= 300) throw new Refused(what, answer);
  return answer.json;
}

async function post(client: Client, path: string, body: unknown = {}, headers: Headers = {}): Promise<Answer> {
  return await client.ask({ method: "POST", path, body, headers });
}

export async function createKey(client: Client, { name, custody }: NewKey, headers: Headers = {}): Promise<KeyBody> {
  const body = { name, ...(custody === undefined ? {} : { custody: { kind: "portable", ...custody } }) };
  return accepted(`create ${name}`, await post(client, "/v1/keys", body, headers)) as KeyBody;
}

export async function getKey(client: Client, key: string): Promise<KeyBody> {
  return accepted(`read ${key}`, await client.ask({ path: `/v1/keys/${key}` })) as KeyBody;
}

export async function rotateKey(client: Client, key: string): Promise<KeyBody> {
  return accepted(`rotate ${key}`, await post(client, `/v1/keys/${key}/rotate`)) as KeyBody;
}

export async function encrypt(client: Client, key: string, plaintext: string): Promise<Encrypted> {
  const body = { plaintext: Buffer.from(plaintext).toString("base64") };
  return accepted(`encrypt with ${key}`, await post(client, `/v1/keys/${key}/encrypt`, body)) as Encrypted;
}

export async function decrypt(client: Client, ciphertext: string): Promise<Decrypted> {
  const startMs = performance.now();
  const answer = await post(client, "/v1/decrypt", { ciphertext });
  const tookMs = performance.now() - startMs;
  const body = accepted("decrypt", answer) as Omit<Decrypted, "text"> & { readonly plaintext: string };
  return { ...body, text: Buffer.from(body.plaintext, "base64").toString("utf8"), tookMs };
}

export async function getProvider(client: Client, name: string): Promise<ProviderBody> {
  return accepted(`read ${name}`, await client.ask({ path: `/v1/providers/${name}` })) as ProviderBody;
}

/** Asks its canary key, and tries what is quarantined there once more. */
export async function probeProvider(client: Client, name: string): Promise<ProviderBody> {
  return accepted(`probe ${name}`, await post(client, `/v1/providers/${name}/probe`)) as ProviderBody;
}

/** Every key that is listed. */
export async function listKeys(client: Client): Promise<readonly KeyBody[]> {
  const items: KeyBody[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const path = `/v1/keys?limit=1000${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page = accepted("list", await client.ask({ path })) as KeyPage;
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

type KeyPage = { readonly items: readonly KeyBody[]; readonly nextCursor: string | null };

/** The binding of a key's first version at a provider. */
export async function bindingAt(client: Client, key: string, provider: string): Promise<BindingBody> {
  const answer = await client.ask({ path: `/v1/keys/${key}/versions/1` });
  const { bindings } = accepted(`versions of ${key}`, answer) as { readonly bindings: readonly BindingBody[] };
  const found = bindings.find((binding) => binding.provider === provider);
  if (found === undefined) throw new Error(`${key} has no binding at ${provider}`);
  return found;
}
