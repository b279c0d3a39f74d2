import type { Answer, Gateway } from "./live-gateway.ts";

type Headers = Readonly<Record<string, string>>;
type Identity = { readonly apiKey?: string; readonly namespace?: string };

/** Somebody who asks a gateway over HTTP: the first admin unless told. */
export class Person {
  readonly #gateway: Gateway;
  readonly #identity: Identity;

  constructor(gateway: Gateway, identity: Identity = {}) {
    this.#gateway = gateway;
    this.#identity = identity;
  }

  async get(path: string, headers: Headers = {}): Promise<Answer> {
    return await this.#ask("GET", path, undefined, headers);
  }

  async post(path: string, body: unknown = {}, headers: Headers = {}): Promise<Answer> {
    return await this.#ask("POST", path, body, headers);
  }

  async patch(path: string, body: unknown, headers: Headers = {}): Promise<Answer> {
    return await this.#ask("PATCH", path, body, headers);
  }

  /** Makes a key, and fails if it is refused. */
  async make(name: string, body: object = {}): Promise<Readonly<Record<string, unknown>>> {
    return succeeded(await this.post("/v1/keys", { name, ...body }));
  }

  /** Encrypts a text, and gives the ciphertext. */
  async seal(key: string, text: string, body: object = {}): Promise<string> {
    const sealed = await this.post(`/v1/keys/${key}/encrypt`, { plaintext: toBase64(text), ...body });
    return String(succeeded(sealed)["ciphertext"]);
  }

  /** Decrypts, and gives the text, or the status and the code. */
  async open(ciphertext: string, body: object = {}): Promise<string> {
    const opened = await this.post("/v1/decrypt", { ciphertext, ...body });
    return opened.status === 200 ? fromBase64(opened.json["plaintext"]) : outcome(opened);
  }

  /** What becomes of an encryption: `200`, or the status and the code. */
  async tries(key: string, body: object = {}): Promise<string> {
    return outcome(await this.post(`/v1/keys/${key}/encrypt`, { plaintext: "", ...body }));
  }

  /** Makes a client with an API key, and gives who that is. */
  async hire(name: string, body: object = {}): Promise<Person> {
    succeeded(await this.post("/v1/clients", { name, ...body }));
    const made = succeeded(await this.post(`/v1/clients/${name}/credentials`, { kind: "api-key" }));
    return new Person(this.#gateway, { apiKey: String(made["secret"]) });
  }

  async #ask(method: string, path: string, body: unknown, headers: Headers): Promise<Answer> {
    const { apiKey, namespace } = this.#identity;
    return await this.#gateway.ask({
      method,
      path,
      headers: { ...(namespace === undefined ? {} : { "claviger-namespace": namespace }), ...headers },
      ...(body === undefined ? {} : { body }),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
  }
}

/** An answer in short: `200`, or the status and the code. */
export function outcome({ status, json }: Answer): string {
  const { code } = json as { readonly code?: string };
  return status < 400 ? String(status) : `${status} ${code}`;
}

export function succeeded(answer: Answer): Readonly<Record<string, unknown>> {
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json;
}

export function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

export function fromBase64(bytes: unknown): string {
  return Buffer.from(String(bytes), "base64").toString("utf8");
}
