import type { Answer, Gateway } from "../../e2e/live-gateway.ts";

export const PLAINTEXT = Buffer.from("what the keys protect", "utf8").toString("base64");

type Key = { readonly id: string; readonly ciphertext: string };
type Client = { readonly id: string; readonly credential: string; readonly apiKey: string };
export type NewClient = {
  readonly name: string;
  readonly namespace?: string;
  readonly role?: string;
  readonly keys?: readonly string[];
  readonly allow?: readonly string[];
  readonly contextEquals?: Readonly<Record<string, string>>;
};

/** Keys and clients that a gateway has, as a test knows them. Each name is of one thing. */
export class Estate {
  readonly #keys = new Map<string, Key & { readonly namespace: string }>();
  readonly #clients = new Map<string, Client>();

  key(name: string): Key {
    return wanted(this.#keys.get(name), name);
  }

  client(name: string): Client {
    return wanted(this.#clients.get(name), name);
  }

  async addNamespace(gateway: Gateway, name: string): Promise<void> {
    await change(gateway, "/v1/namespaces", { name });
    await this.addClient(gateway, { name: `${name}-app`, namespace: name, allow: ["*"] });
  }

  async addClient(gateway: Gateway, { namespace = "default", role = "user", ...rest }: NewClient): Promise<void> {
    const headers = { "claviger-namespace": namespace };
    const { id } = await change(gateway, "/v1/clients", { role, ...rest }, headers);
    const made = await change(gateway, `/v1/clients/${String(id)}/credentials`, { kind: "api-key" }, headers);
    const client = { id: String(id), credential: String(made["id"]), apiKey: String(made["secret"]) };
    this.#clients.set(rest.name, client);
  }

  /** Makes a key and uses it once. One that is dedicated has a branch and recipients of its own. */
  async addKey(gateway: Gateway, name: string, { namespace = "default", dedicated = false } = {}): Promise<void> {
    const headers = { "claviger-namespace": namespace };
    const custody = { kind: "portable", dedicated };
    const { id } = await change(gateway, "/v1/keys", { name, custody }, headers);
    const sealed = await gateway.ask({
      method: "POST",
      path: `/v1/keys/${name}/encrypt`,
      body: { plaintext: PLAINTEXT },
      ...this.#user(namespace),
    });
    this.#keys.set(name, { id: String(id), ciphertext: String(accepted(sealed)["ciphertext"]), namespace });
  }

  /** What becomes of an encryption and of a decryption: `200`, or the status and the code. */
  async use(gateway: Gateway, name: string): Promise<readonly [encrypt: string, decrypt: string]> {
    const { ciphertext, namespace } = wanted(this.#keys.get(name), name);
    const user = this.#user(namespace);
    const sealed = await gateway.ask({
      method: "POST",
      path: `/v1/keys/${name}/encrypt`,
      body: { plaintext: PLAINTEXT },
      ...user,
    });
    const opened = await gateway.ask({ method: "POST", path: "/v1/decrypt", body: { ciphertext }, ...user });
    if (opened.status === 200 && opened.json["plaintext"] !== PLAINTEXT)
      throw new Error(`${name} opens to other bytes`);
    return [told(sealed), told(opened)];
  }

  #user(namespace: string): { readonly apiKey?: string } {
    return namespace === "default" ? {} : { apiKey: this.client(`${namespace}-app`).apiKey };
  }
}

/** An answer in short: `200`, or the status, the code, and the class of a hold. */
export function told({ status, json }: Answer): string {
  const { code, metadata } = json as { readonly code?: string; readonly metadata?: { readonly class?: string } };
  return [status, code, metadata?.class].filter((part) => part !== undefined).join(" ");
}

export async function change(
  gateway: Gateway,
  path: string,
  body: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  return accepted(await gateway.ask({ method: "POST", path, body, headers }));
}

function accepted(answer: Answer): Readonly<Record<string, unknown>> {
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json;
}

function wanted<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`there is no ${name}`);
  return value;
}
