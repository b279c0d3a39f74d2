import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { KeyEncapsulation, Provider } from "#core/provider.ts";
import { localHsm } from "#providers/local-hsm/index.ts";
import { call } from "../../../conformance/provider/subject.ts";
import { localSources } from "./sources.ts";

type WholeProvider = Required<Provider> & { readonly encapsulation: Required<KeyEncapsulation> };

/** A software HSM for a whole file of tests, every ability of which is there. */
export type Kept = {
  readonly provider: WholeProvider;
  /** Another handle on the same folder, as the next process has it. */
  readonly restart: () => Promise<WholeProvider>;
  /** A key of the file's own, made once. */
  readonly keyOf: (algorithm: AlgorithmName, which?: string) => Promise<string>;
  readonly publicKeyOf: (ref: string) => Promise<Buffer>;
};

export async function keptHsm(): Promise<Kept> {
  const dataFolder = mkdtempSync(join(tmpdir(), "local-hsm-"));
  const opened: Provider[] = [];
  const restart = async () => {
    const options = { folder: null, seal: { kind: "file", file: null } } as const;
    const provider = await localHsm.open({ name: "hsm", options, dataFolder, sources: localSources() });
    opened.push(provider);
    return whole(provider);
  };
  afterAll(async () => {
    for (const provider of opened) await provider[Symbol.asyncDispose]();
    rmSync(dataFolder, { recursive: true });
  });
  const provider = await restart();
  const keys = new Map<string, Promise<string>>();
  return {
    provider,
    restart,
    keyOf: async (algorithm, which = "1") => {
      const marker = `${algorithm.toLowerCase()}-${which}`;
      const key = keys.get(marker) ?? makeKey(provider, algorithm, marker);
      keys.set(marker, key);
      return await key;
    },
    publicKeyOf: async (ref) => (await provider.publicKeys.publicKey(ref, call())).value,
  };
}

/** RSA keys come in from outside, so that each size is made once. */
async function makeKey(provider: WholeProvider, algorithm: AlgorithmName, marker: string): Promise<string> {
  const bits = /^RSA-(\d+)/u.exec(algorithm)?.[1];
  const spec = { algorithm, marker, description: "a key" };
  if (bits === undefined) return (await provider.keys.create(spec, call())).ref;
  const material = pkcs8Of(rsaKey(Number(bits)));
  return (await provider.importer.importKey({ ...spec, material }, call())).ref;
}

const rsaKeys = new Map<number, KeyObject>();

/** A private key of RSA, the same each time. */
export function rsaKey(modulusLength: number): KeyObject {
  const key = rsaKeys.get(modulusLength) ?? generateKeyPairSync("rsa", { modulusLength }).privateKey;
  rsaKeys.set(modulusLength, key);
  return key;
}

export function pkcs8Of(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "pkcs8" });
}

function whole(provider: Provider): WholeProvider {
  const { cipher, mac, signer, materialWrapper, agreement, encapsulation, publicKeys, importer, random } = provider;
  const abilities = { cipher, mac, signer, materialWrapper, agreement, encapsulation, publicKeys, importer, random };
  for (const [name, ability] of Object.entries(abilities)) expect(ability, name).toBeDefined();
  return provider as WholeProvider;
}
